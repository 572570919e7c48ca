"""Plugin command: descriptors only; the work is next door."""
