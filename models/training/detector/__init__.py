"""How the text detector is made: pages drawn with known boxes, the network, its losses, training and export."""
