"""Lines found by the learned detector."""
