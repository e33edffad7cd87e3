"""From photos and scans to crops of words and lines."""
