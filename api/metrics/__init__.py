"""What a monitor asks: metrics and health."""
