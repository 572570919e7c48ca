"""The command line: the only room that reads environment, home directory and terminal."""
