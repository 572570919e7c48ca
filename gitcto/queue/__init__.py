"""The merge queue's scheduler: pure. Facts are folded into a queue, and a queue into what to do."""
