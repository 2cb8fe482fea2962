"""A page as a whole: its quality, its tilt, its turn, and what is cut out of it."""
