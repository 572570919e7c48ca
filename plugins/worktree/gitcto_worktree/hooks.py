"""Plugin worktree: descriptors only; the work is next door."""
