"""The product's loop in a made-up world: virtual clock, made-up git and workers, seeded faults.

``python -m gitcto.testing.simulation --seed N`` runs one seed; docs/adr/0005-simulation.md says
what is simulated and what that proves.
"""
