"""From line images to text with its confidence."""
