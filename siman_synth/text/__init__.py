"""What to write: word lists, patterns of what signs hold, letter case and their mixture."""
