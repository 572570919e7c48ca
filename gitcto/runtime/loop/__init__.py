"""The loop: recovery first; then tasks become steps, and ends of steps what comes next."""
