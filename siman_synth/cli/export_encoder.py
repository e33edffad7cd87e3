"""`siman-synth export-encoder`."""

from pathlib import Path

import click

from siman_synth.cli.options import HELP, reports_errors, say
from siman_synth.escaping import printable


@click.command("export-encoder", context_settings=HELP)
@click.argument("weights", metavar="bundled|FILE")
@click.option(
    "--to", "layout", required=True, type=click.Choice(("dtrb", "torch")),
    help="Names of the tensors: those of the deep text recognition benchmark's ResNet, or our own.",
)  # fmt: skip
@click.option("--out", required=True, type=click.Path(path_type=Path), help="A file that does not exist.")
@reports_errors
def export_encoder_command(weights: str, layout: str, out: Path) -> None:
    """Write the encoder of trained weights as a file for torch.load.

    WEIGHTS is SimAN weights, a recognizer, or a run's folder. The benchmark (ResNet-29 only: recipes
    paper, trbc, trba) starts from the file with `--FT --saved_model FILE --rgb --FeatureExtraction ResNet`.

    \b
    Example: siman-synth export-encoder runs/paper --to dtrb --out siman-resnet.pth
    """
    from siman_synth.files import require_new_file
    from siman_synth.recognition.encoders import export_encoder

    require_new_file(out)
    count = export_encoder(weights, layout, out)
    say(f"{count} tensors written to {printable(out)}")
