"""Pretraining: SimAN on unlabeled crops (paper, section 3.3 and algorithm 1)."""
