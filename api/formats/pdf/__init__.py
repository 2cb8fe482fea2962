"""`pdf`: the page as it was sent, with invisible text over it that is found and selected where the writing is."""
