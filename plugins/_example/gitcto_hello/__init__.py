"""An example plugin for git-cto."""
