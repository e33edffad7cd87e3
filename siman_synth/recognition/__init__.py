"""Recognition: a small CRNN that reads word images, for examples and for measuring data sets."""
