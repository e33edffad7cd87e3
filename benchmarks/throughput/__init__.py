"""Parts of `benchmarks/throughput.py`; each measured run is a process of its own."""
