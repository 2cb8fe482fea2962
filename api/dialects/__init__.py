"""How other programs speak: the calls of the original service."""
