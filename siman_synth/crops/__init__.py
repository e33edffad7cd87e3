"""Real, unlabeled crops: pools of them, training patches, and the breaking of their style."""
