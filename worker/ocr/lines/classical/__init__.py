"""Lines found by classical means, from pieces of ink."""
