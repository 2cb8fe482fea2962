"""The working process: takes jobs, turns documents into text."""
