"""How the recognisers are made: fonts and corpora from Debian packages, rendered lines, training, export."""
