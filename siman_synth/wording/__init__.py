"""What real crops say: words, and patterns of numbers, dates and codes, read by OCR."""
