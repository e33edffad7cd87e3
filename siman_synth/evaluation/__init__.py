"""How readable a data set is, and how close to real crops: measures and the report."""
