"""What one worker is told: its stream, its budget, its checkpoints. Pure, and imports nothing."""
