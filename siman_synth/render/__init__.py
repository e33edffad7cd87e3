"""Plain content images: words drawn in fonts, in several layouts and framings."""
