"""A local page to write words, look at data sets and compare reports."""
