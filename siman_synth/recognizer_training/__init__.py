"""Training recognizers on labeled words, and testing them."""
