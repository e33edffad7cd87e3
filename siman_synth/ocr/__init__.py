"""Reading words with recognizers that were made elsewhere."""
