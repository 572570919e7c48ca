"""The escape suite: real attacks by real workers, judged from outside."""
