"""`/v1/models`: which models there are, which of them read, and how far each worker child is with that."""
