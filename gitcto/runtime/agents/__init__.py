"""Agents at work: which can, how one step of an attempt runs, what they say and used."""
