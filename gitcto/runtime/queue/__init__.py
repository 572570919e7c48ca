"""The merge queue at run time: admits, judges, rejects and lands what gitcto.queue says."""
