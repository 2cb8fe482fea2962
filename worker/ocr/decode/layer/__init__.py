"""The text that a page of a PDF brings along: its characters, its lines, and whether they may be taken."""
