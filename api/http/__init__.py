"""What every route shares: bodies, headers, problems, the log of requests."""
