"""Benchmarks: what git-cto costs, as ratios to a baseline of the same run."""
