"""The pure core: events, state, decide, evolve. No I/O, clock, randomness or git."""
