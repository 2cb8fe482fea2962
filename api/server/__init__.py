"""The HTTP server around the application, and what it does with slow and malformed clients."""
