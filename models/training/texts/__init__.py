"""What lines say beyond prose: sums and measures, code, part codes, Chinese numerals, plates, words of scenes."""
