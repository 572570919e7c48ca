"""Policy: read ``policy.toml`` strictly, explain it, and decide by it. Pure apart from one file."""
