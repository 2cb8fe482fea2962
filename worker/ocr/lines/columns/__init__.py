"""Chinese that runs down: its columns, their characters, and whether they are what the page means."""
