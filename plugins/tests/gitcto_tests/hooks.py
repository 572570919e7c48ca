"""Plugin tests: descriptors only; the work is next door."""
