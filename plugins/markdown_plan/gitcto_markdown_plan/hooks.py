"""Plugin markdown_plan: descriptors only; the work is next door."""
