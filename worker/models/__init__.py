"""Which models a worker has: installed ones, the stronger one, and the commands that look after them."""
