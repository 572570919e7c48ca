"""Plugin nonempty: descriptors only; the work is next door."""
