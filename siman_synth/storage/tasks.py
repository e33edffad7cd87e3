"""What `verify` and `inspect` have done in a process of its own, which alone imports what it takes."""

from pathlib import Path

from siman_synth.storage.apart import NotePlace


def verified(
    note_place: NotePlace,
    dataset: Path,
    trainer: str | None,
    charset: Path | None = None,
    max_length: int | None = None,
) -> tuple[str, bool]:
    """Return the report of `verify_dataset` as text, and whether all is well."""
    from siman_synth.storage.labeled_set import LabeledSet
    from siman_synth.storage.trainer_rules import trainer_rule
    from siman_synth.storage.verify import verify_dataset

    rule = None if trainer is None else trainer_rule(trainer, charset, max_length)
    with LabeledSet.open(dataset, note_place) as words:
        report = verify_dataset(words.reader or words, rule)
    return report.to_text(), report.ok


def inspected(
    note_place: NotePlace, dataset: Path, sheet_count: int | None, seed: int | None
) -> tuple[str, bytes, int]:
    """Return the summary of `inspect_dataset` as text, a sheet of samples as PNG, and how many it shows."""
    import io

    from PIL.PngImagePlugin import PngInfo

    from siman_synth.storage.dataset_sheet import dataset_sheet
    from siman_synth.storage.inspect import inspect_dataset
    from siman_synth.storage.labeled_set import LabeledSet
    from siman_synth.storage.sheet_file import SOFTWARE

    with LabeledSet.open(dataset, note_place) as words:
        reader = words.reader or words
        text = inspect_dataset(reader).to_text()
        if sheet_count is None:
            return text, b"", 0
        picture, said = io.BytesIO(), PngInfo()
        said.add_text(*SOFTWARE)
        dataset_sheet(reader, sheet_count, seed).save(picture, "PNG", pnginfo=said)
        return text, picture.getvalue(), min(sheet_count, len(reader))
