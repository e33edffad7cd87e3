"""Changing the word in a picture: read its style, match its font, write another word in its place."""
