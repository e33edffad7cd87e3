"""Neural modules only: what is computed. No loss, no optimiser, no path but the checkpoint's."""
