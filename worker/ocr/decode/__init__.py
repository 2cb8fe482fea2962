"""From bytes to pages of pixels."""
