"""Workers' rooms: made, watched from outside, taken up, settled and cleaned."""
