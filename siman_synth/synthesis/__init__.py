"""Synthesis: corpus words in borrowed styles, written as a labeled LMDB."""
