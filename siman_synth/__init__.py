"""siman-synth: labeled word images in styles borrowed from your own unlabeled crops."""
__version__ = "0.1.0"
