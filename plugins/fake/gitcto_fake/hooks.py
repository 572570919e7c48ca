"""Plugin fake: descriptors only; the work is next door."""
