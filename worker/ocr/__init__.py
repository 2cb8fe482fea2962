"""Pure recognition: bytes in, text out; no queue, no database, no settings."""
