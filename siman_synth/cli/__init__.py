"""The command line. Commands import the library inside, so that `--help` needs no torch."""

import click

from siman_synth import __version__
from siman_synth.cli.evaluate import evaluate_command
from siman_synth.cli.generate import generate_command
from siman_synth.cli.inspect import inspect_command
from siman_synth.cli.options import HELP
from siman_synth.cli.pretrain import pretrain_command
from siman_synth.cli.verify import verify_command


@click.group(context_settings=HELP)
@click.version_option(__version__, prog_name="siman-synth")
def main() -> None:
    """Labeled word images in styles borrowed from your own unlabeled crops.

    \b
    siman-synth pretrain --crops crops/ --out runs/mine      learn styles (optional)
    siman-synth generate --n 1000 --out words                write a labeled LMDB
    siman-synth inspect words --sheet words.png              look at it
    siman-synth verify words --reader parseq                 check it as a reader would
    siman-synth evaluate words --real crops/                 measure readability and closeness
    """


main.add_command(pretrain_command)
main.add_command(generate_command)
main.add_command(inspect_command)
main.add_command(verify_command)
main.add_command(evaluate_command)
