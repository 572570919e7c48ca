"""What a hostile worker does; standard library only, run in the sandbox by ``program``."""
