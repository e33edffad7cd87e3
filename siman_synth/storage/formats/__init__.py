"""The layouts in which other trainers keep labeled images: read by index, nothing loaded ahead."""
