"""Plugin git_merge: descriptors only; the work is next door."""
