"""What plugins for agent CLIs share: reading their streams, starting them, naming their faults."""
