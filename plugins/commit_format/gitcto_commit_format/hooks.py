"""Plugin commit_format: descriptors only; the work is next door."""
