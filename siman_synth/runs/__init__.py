"""Many words: jobs, their shards, and the machines that make them."""
