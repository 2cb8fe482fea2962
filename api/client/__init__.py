"""The command line as a client of a running service, and the demo."""
