"""The pure core: events, state, decide and evolve. No input or output, no clock, no randomness, no git."""
