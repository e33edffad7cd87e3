"""Pictures in memory: decode, resize, measure, show."""
