"""`ocrelay submit`: documents of a person to a server and their results back, without losing any in between."""
