"""Real, unlabeled crops: pools of them, and a cache of them at one height."""
