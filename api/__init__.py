"""The intake process: takes uploads, answers questions about jobs. It never recognises anything itself."""
