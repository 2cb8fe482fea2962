"""The use cases of the intake process; they know nothing of HTTP."""
