"""What the loop stands on: the world's contract, jobs, messages, values, its pen."""
