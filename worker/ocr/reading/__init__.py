"""One page from pixels to text: what is tried, in which order, and what is kept."""
