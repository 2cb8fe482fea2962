"""The audit trail: what is written down, how it is sealed in a chain, searched, and kept."""
