"""Plugin clone: descriptors only; the work is next door."""
