"""git-cto: run a team of headless coding agents on one repository and land only proved work."""

__version__ = "0.1.0"
