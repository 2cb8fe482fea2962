"""What was uploaded: its bytes as they are stored, and what its header says."""
