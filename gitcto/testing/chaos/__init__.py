"""Chaos: real runs on scratch repositories, real faults, and what must be true afterwards.

A scenario is a TOML file (``reliability/scenarios``); :mod:`.engine` plays one, :mod:`.suite` all.
"""
