"""The audit trail: what is asked of it, its numbers, and who was refused."""
