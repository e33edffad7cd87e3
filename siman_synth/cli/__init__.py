"""The command line. Commands import the library inside, so that `--help` needs no torch."""

import io
import sys
from collections.abc import Iterator
from typing import Any

import click

from siman_synth import __version__
from siman_synth.cli.crops import crops_command
from siman_synth.cli.edit import edit_command
from siman_synth.cli.evaluate import evaluate_command
from siman_synth.cli.export import export_command
from siman_synth.cli.export_encoder import export_encoder_command
from siman_synth.cli.fit import fit_command
from siman_synth.cli.generate import generate_command
from siman_synth.cli.inspect import inspect_command
from siman_synth.cli.interpolate import interpolate_command
from siman_synth.cli.options import HELP
from siman_synth.cli.pretrain import pretrain_command
from siman_synth.cli.recognizer import recognizer_command
from siman_synth.cli.studio import studio_command
from siman_synth.cli.verify import verify_command
from siman_synth.cli.words import words_command


def commands(group: click.Group) -> Iterator[tuple[str, click.Command]]:
    """Yield every command with its words: "generate", "recognizer train"."""
    for name in group.list_commands(click.Context(group)):
        command = group.commands[name]
        if isinstance(command, click.Group):
            yield from ((f"{name} {inner}", found) for inner, found in commands(command))
        else:
            yield name, command


class Program(click.Group):
    """All commands, on any console: what its encoding lacks is escaped instead of ending the command."""

    def main(self, *args: Any, **options: Any) -> Any:
        """Run the command line."""
        for stream in (sys.stdout, sys.stderr):
            if isinstance(stream, io.TextIOWrapper):
                stream.reconfigure(errors="backslashreplace")
        return super().main(*args, **options)

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Refuse an empty argument: most likely a variable of the shell that is not set."""
        for before, argument in zip(["", *args], args, strict=False):
            name, equals, value = argument.partition("=")
            if name.startswith("--") and equals and not value:
                raise click.UsageError(f"{name} is empty. Give it a value, or leave it away.", ctx)
            if not argument:
                what = f"{before} is empty" if before.startswith("--") else "An argument is empty"
                raise click.UsageError(f"{what}. Give it a value, or leave it away.", ctx)
        return super().parse_args(ctx, args)


@click.group(cls=Program, context_settings=HELP)
@click.version_option(__version__, prog_name="siman-synth")
def main() -> None:
    """Labeled word images in styles borrowed from your own unlabeled crops.

    \b
    siman-synth crops photos/ --out crops                    cut words out of photos (optional)
    siman-synth words --crops crops/ --out mine              read what to write (optional)
    siman-synth pretrain --crops crops/ --out runs/mine      learn styles (optional)
    siman-synth fit --crops crops/ --out mine                find fonts, layouts and damages (optional)
    siman-synth generate --n 1000 --out words                write a labeled LMDB
    siman-synth inspect words --sheet words.png              look at it
    siman-synth verify words --for parseq                    check it as that trainer would
    siman-synth evaluate words --real crops/                 measure readability and closeness
    siman-synth export words --to paddleocr --out paddle     write it as your trainer reads it
    siman-synth edit shop.jpg --old OPEN --text SHUT --out shut.png          change a word in a photo
    siman-synth interpolate --text A --from a.jpg --to b.jpg --out strip.png blend two looks
    siman-synth recognizer train --train words --out reader  train a recognizer on it
    siman-synth studio --dataset words                       write, look and compare in a browser
    siman-synth export-encoder bundled --to torch --out e.pth  the encoder, for recognizers of others
    """


main.add_command(crops_command)
main.add_command(pretrain_command)
main.add_command(fit_command)
main.add_command(generate_command)
main.add_command(inspect_command)
main.add_command(verify_command)
main.add_command(evaluate_command)
main.add_command(export_command)
main.add_command(edit_command)
main.add_command(interpolate_command)
main.add_command(recognizer_command)
main.add_command(studio_command)
main.add_command(export_encoder_command)
main.add_command(words_command)
