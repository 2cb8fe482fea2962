"""The sweeper: restores what ought to hold, again and again."""
