"""What a process tells of its work: log lines, spans, and the request that led to them."""
