"""Writing labeled sets in the layouts that other trainers read."""
