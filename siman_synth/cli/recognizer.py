"""`siman-synth recognizer`: train, test, read."""

import json
from pathlib import Path

import click

from siman_synth import stopping
from siman_synth.cli.options import (
    HELP,
    FiniteRange,
    device_option,
    dry_run_option,
    out_option,
    plain_bars,
    recipe_options,
    reports_errors,
    say,
)
from siman_synth.escaping import printable

RECIPES = "recognizers"
_OF_A_STREAM = ("corpus", "styles", "fonts", "weights", "stream_recipe", "stream_set", "stream_workers")


@click.group("recognizer", context_settings=HELP)
def recognizer_command() -> None:
    """Train a recognizer on labeled words, test it, read with it.

    \b
    siman-synth recognizer train --train words --out runs/reader
    siman-synth recognizer test runs/reader real
    siman-synth recognizer read runs/reader photo.png
    """


@recognizer_command.command("train", context_settings=HELP)
@click.option(
    "--train", "sets", multiple=True, metavar="DATASET[:WEIGHT]",
    help="A labeled data set to learn from, and how often compared with the others. Can be repeated.",
)  # fmt: skip
@click.option(
    "--validate", "validation", multiple=True, type=click.Path(path_type=Path), metavar="DATASET",
    help="A labeled data set that chooses the best step. Can be repeated.  [default: the last step]",
)  # fmt: skip
@click.option(
    "--stream", "stream_weight", type=FiniteRange(0, min_open=True), metavar="WEIGHT",
    help="Learn also from words made while training, and how often. The options below say from what.",
)  # fmt: skip
@click.option("--corpus", multiple=True, help="Stream: words or patterns, as for `generate`.")
@click.option(
    "--styles",
    multiple=True,
    help="Stream: crops, as for `generate`.  [default: bundled]",
)
@click.option("--fonts", multiple=True, help="Stream: fonts, as for `generate`.")
@click.option("--weights", type=click.Path(path_type=Path), help="Stream: SimAN weights  [default: small]")
@click.option("--stream-recipe", metavar="NAME|FILE", help="Stream: a recipe of `generate`.")
@click.option("--stream-set", multiple=True, metavar="KEY=VALUE", help="Stream: one setting of `generate`.")
@click.option(
    "--stream-workers", default=1, show_default=True, type=click.IntRange(0),
    help="Stream: processes that make words; 0 makes them in the one that trains.",
)  # fmt: skip
@out_option("Folder of the run: recognizer.safetensors, checkpoints, statistics.")
@recipe_options("training.steps=2000")
@click.option(
    "--charset", metavar="NAME|FILE",
    help="Characters it can write: alphanumeric (36, without case), printable (94, no space), labels (those "
    "of the training sets), or a text file.  [default: the recipe's]",
)  # fmt: skip
@click.option(
    "--init", metavar="bundled|FILE",
    help="Start from SimAN weights (their encoder) or a recognizer. Not with --resume.",
)  # fmt: skip
@device_option
@click.option("--resume", is_flag=True, help="Go on from the last checkpoint in --out.")
@dry_run_option
@reports_errors
def train_command(
    sets: tuple[str, ...],
    validation: tuple[Path, ...],
    stream_weight: float | None,
    corpus: tuple[str, ...],
    styles: tuple[str, ...],
    fonts: tuple[str, ...],
    weights: Path | None,
    stream_recipe: str | None,
    stream_set: tuple[str, ...],
    stream_workers: int,
    out: Path,
    recipe: str | None,
    overrides: tuple[str, ...],
    charset: str | None,
    init: str | None,
    device: str,
    resume: bool,
    dry_run: bool,
) -> None:
    """Train a recognizer on labeled words.

    Recipes are crnn (for a CPU), quick (crnn in a minute), lines (crnn for lines of several words), small
    (the bundled SimAN encoder), trbc and trba (the paper's).
    The run can be stopped at any time and resumed with the same numbers. For several GPUs:
    torchrun --nproc-per-node 2 -m siman_synth recognizer train ...

    \b
    Example: siman-synth recognizer train --train words:1 --train real:3 --out runs/reader
    """
    from siman_synth.config import fingerprint, load_config, to_toml
    from siman_synth.models.bundled import weights_file
    from siman_synth.recognition.charset import named_charset
    from siman_synth.recognizer_training.config import RecognizerTrainingConfig
    from siman_synth.recognizer_training.labeled_words import characters_of
    from siman_synth.recognizer_training.run import (
        TrainingSet,
        TrainingStream,
        check_inputs,
        train_recognizer,
    )
    from siman_synth.resources import resource_folder
    from siman_synth.runs.job import Job
    from siman_synth.synthesis.config import GenerateConfig

    if not sets and stream_weight is None:
        raise click.UsageError("There is nothing to learn from. Give --train, --stream, or both.")
    if stream_weight is None and (idle := _given(_OF_A_STREAM)):
        raise click.UsageError(
            f"{idle} is for --stream, which is not given: no words are made. Add --stream 1."
        )
    parts: list[TrainingSet | TrainingStream] = [TrainingSet(*_weighted(value)) for value in sets]
    if charset is not None:
        characters = (
            characters_of([part.path for part in parts if isinstance(part, TrainingSet)])
            if charset == "labels"
            else named_charset(charset)
        )
        overrides = (*overrides, f"model.charset={json.dumps(characters, ensure_ascii=False)}")
    config = load_config(RecognizerTrainingConfig, recipe or "crnn", overrides, resource_folder(RECIPES))
    if stream_weight is not None:
        job = Job(
            corpus=corpus or ("default",),
            styles=styles or ("bundled",),
            fonts=fonts or ("all",),
            weights=weights_file(weights),
            count=1,
            seed=config.training.seed,
            config=load_config(GenerateConfig, stream_recipe, stream_set, resource_folder("recipes")),
        )
        parts.append(TrainingStream(job, stream_weight, stream_workers))
    if dry_run:
        found = check_inputs(config, parts, out, validation=validation, resume=resume, init=init)
        say(to_toml(config))
        say("\n".join(f"# {line}" for line in (*found, f"fingerprint {fingerprint(config)}")))
        return
    stopping.last_words(lambda: "Stopped. Run the same command with --resume to go on where it stands.")
    plain_bars()
    result = train_recognizer(
        config, parts, out, validation=validation, resume=resume, init=init, device=device, say=say
    )
    if not result.is_main:
        return
    if result.interrupted:
        say(f"Stopped after step {result.steps}. Run the same command with --resume to go on.", err=True)
        raise SystemExit(130)
    if result.best_share is not None:
        say(
            f"Best at step {result.best_step}: {100 * result.best_share:.1f} % of validation words read right"
        )
    say(f"{result.steps} steps done. Test with: siman-synth recognizer test {printable(out)} DATASET")


@recognizer_command.command("test", context_settings=HELP)
@click.argument("recognizer", type=click.Path(path_type=Path))
@click.argument("datasets", nargs=-1, required=True, type=click.Path(path_type=Path), metavar="DATASET…")
@device_option
@click.option(
    "--ignore-case",
    is_flag=True,
    help="Compare without letter case, as sets that are labeled in one case need.",
)
@click.option(
    "--wrong", type=click.Path(path_type=Path), help="Write misread words to this file, tab-separated."
)
@reports_errors
def test_command(
    recognizer: Path, datasets: tuple[Path, ...], device: str, ignore_case: bool, wrong: Path | None
) -> None:
    """Read labeled data sets and print how many words are right.

    RECOGNIZER is a file or the folder of a training run. Acc. is the share read without an edit, E.D. 1
    with one edit at most, NED the mean similarity; 95 % intervals in brackets. Labels are compared as
    the recognizer's charset can write them.

    \b
    Example: siman-synth recognizer test runs/reader real
    """
    from siman_synth.files import require_new_file, write_text
    from siman_synth.models.device import resolve_device
    from siman_synth.recognition.weights import load_recognizer
    from siman_synth.recognizer_training.labeled_words import LabeledWords
    from siman_synth.recognizer_training.testing import compared, read_words, scores_of

    if wrong is not None:
        require_new_file(wrong)
    loaded = load_recognizer(recognizer, resolve_device(device)).recognizer
    plain_bars()
    misread = []
    for path in datasets:
        words = LabeledWords(path, loaded.charset)
        read = read_words(loaded, words, path.name)
        say(f"{printable(path)}: {len(read)} words, {words.left_out.total} left out")
        for line in words.left_out.lines():
            say(f"  left out: {line}")
        say(f"  {scores_of(read, ignore_case).to_text()}")
        misread += [
            (printable(str(path)), str(words.index(word.number) + 1), word.label, word.reading.text)
            for word in read
            if len(set(compared(word, ignore_case))) > 1
        ]
    if wrong is not None:
        rows = [("data set", "number", "label", "read"), *misread]
        write_text(wrong, "".join("\t".join(row) + "\n" for row in rows))


@recognizer_command.command("read", context_settings=HELP)
@click.argument("recognizer", type=click.Path(path_type=Path))
@click.argument("images", nargs=-1, required=True, type=click.Path(path_type=Path), metavar="IMAGE…")
@device_option
@reports_errors
def read_command(recognizer: Path, images: tuple[Path, ...], device: str) -> None:
    """Print what is read in images of one word each, with the score from 0 to 1.

    \b
    Example: siman-synth recognizer read runs/reader crops/*.png
    """
    from siman_synth.errors import CropError
    from siman_synth.imaging.decode import decode_crop, read_picture
    from siman_synth.models.device import resolve_device
    from siman_synth.recognition.weights import load_recognizer

    loaded = load_recognizer(recognizer, resolve_device(device)).recognizer
    failed = False
    for path in images:
        try:
            image = decode_crop(read_picture(path, path.name), path.name)
        except CropError as error:
            say(f"{printable(path)}: {error}", err=True)
            failed = True
            continue
        (reading,) = loaded.read([image])
        say(f"{printable(path)}\t{reading.text}\t{reading.score:.3f}")
    if failed:
        raise SystemExit(1)


@recognizer_command.command("export", context_settings=HELP)
@click.argument("recognizer", type=click.Path(path_type=Path))
@click.option(
    "--out", required=True, type=click.Path(path_type=Path), help="An ONNX file that does not exist."
)
@reports_errors
def export_command(recognizer: Path, out: Path) -> None:
    """Write a recognizer as ONNX, for programs without torch.

    The file's metadata hold its characters, its decoder and the size of images; docs/recognizer.md has
    a reader in fifteen lines. Needs pip install "siman-synth[onnx]".

    \b
    Example: siman-synth recognizer export runs/reader --out reader.onnx
    """
    from siman_synth.files import require_new_file
    from siman_synth.recognition.onnx_export import export_onnx
    from siman_synth.recognition.weights import load_recognizer

    require_new_file(out)
    export_onnx(load_recognizer(recognizer).recognizer, out)
    say(f"{printable(out)} written")


def _given(names: tuple[str, ...]) -> str | None:
    """Return the first of these options that stands on the command line."""
    context = click.get_current_context()
    for parameter in context.command.params:
        source = context.get_parameter_source(parameter.name or "")
        if parameter.name in names and source is not click.core.ParameterSource.DEFAULT:
            return parameter.opts[0]
    return None


def _weighted(value: str) -> tuple[str, float]:
    """Split DATASET:WEIGHT; a path that is there as it stands has weight 1."""
    path, colon, weight = value.rpartition(":")
    if not colon or Path(value).exists():
        return value, 1.0
    try:
        number = float(weight)
    except ValueError:
        return value, 1.0  # another drive, or a name with a colon that is not there: opening says so
    return path, number
