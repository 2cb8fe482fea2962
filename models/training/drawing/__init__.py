"""How lines are drawn: the canvas, displays, letters of signs, what lies over and beside a line, and its placement."""
