"""Gates judge, evidence keeps what they said, proofs look at it again."""
