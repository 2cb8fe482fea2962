"""What on a page is writing, by its pixels alone."""
