"""Lines that hold what stands in several columns of a row, parted: cells, and amounts behind words."""
