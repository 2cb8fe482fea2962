"""What brings models of others in: what a file demands, a card for it, its trial, the shelf it comes to, and packs."""
