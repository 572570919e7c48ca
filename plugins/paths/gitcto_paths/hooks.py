"""Plugin paths: descriptors only; the work is next door."""
