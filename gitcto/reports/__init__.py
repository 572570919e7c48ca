"""Formats that other tools report in: read within limits, and written."""
