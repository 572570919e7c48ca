"""PURE. Strategies: who does what in which order within one attempt, and what comes next."""
