"""`python -m siman_synth` is `siman-synth`, which is what torchrun needs."""

from siman_synth.cli import main

if __name__ == "__main__":
    main(prog_name="siman-synth")
