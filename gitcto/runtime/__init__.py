"""Everything that takes time, in rooms of its own: docs/architecture.md says which."""
