"""`inspect` and `verify` on good and bad data sets, and their exit status."""

from collections.abc import Callable
from pathlib import Path

import lmdb
import pytest
from click.testing import Result
from PIL import Image

from tests.read_only import read_only

Run = Callable[..., Result]


@pytest.fixture
def dataset(generate: Run, tmp_path: Path) -> Path:
    assert generate().exit_code == 0
    return tmp_path / "out"


def change(dataset: Path, key: bytes, value: bytes | None) -> None:
    with lmdb.open(str(dataset)) as environment, environment.begin(write=True) as transaction:
        if value is None:
            transaction.delete(key)
        else:
            transaction.put(key, value)


def test_inspect_counts_and_draws(invoke: Run, dataset: Path, tmp_path: Path) -> None:
    sheet = tmp_path / "new" / "sheet.png"
    result = invoke("inspect", dataset, "--sheet", sheet, "--count", "4")
    assert result.exit_code == 0, result.output
    assert f"{dataset}: 6 samples, 6 labeled" in result.output
    assert result.output.endswith(f"sheet of 4 samples in {sheet}\n")
    assert Image.open(sheet).format == "PNG"


def test_a_sheet_replaces_a_sheet(invoke: Run, dataset: Path, tmp_path: Path) -> None:
    sheet = tmp_path / "sheet.png"
    for count in ("2", "6"):
        assert invoke("inspect", dataset, "--sheet", sheet, "--count", count).exit_code == 0
    first = sheet.read_bytes()
    assert invoke("inspect", dataset, "--sheet", sheet, "--count", "2").exit_code == 0
    assert sheet.read_bytes() != first


def test_a_sheet_that_cannot_be_written_is_refused_before_the_set_is_read(
    invoke: Run, tmp_path: Path
) -> None:
    disk, file = tmp_path / "disk", tmp_path / "file"
    disk.mkdir()
    file.touch()
    for above, sheet in ((disk, disk / "new" / "sheet.png"), (file, file / "sheet.png")):
        with read_only(disk):
            result = invoke("inspect", tmp_path / "no such set", "--sheet", sheet)
        assert result.exit_code == 1
        assert result.stderr == (
            f"Error: Cannot write the sheet {sheet}: {above} is no folder that can be written to. "
            "Name another file for the sheet.\n"
        )


def test_a_sheet_replaces_no_file_of_others(invoke: Run, dataset: Path, tmp_path: Path) -> None:
    words, photo, link = tmp_path / "words.txt", tmp_path / "photo.png", tmp_path / "link.png"
    words.write_text("Harbour\n", encoding="utf-8")
    Image.new("RGB", (8, 8)).save(photo)
    link.symlink_to(photo)
    data = dataset / "data.mdb"
    before = {path: path.read_bytes() for path in (words, photo, data)}
    for path in (words, data):
        result = invoke("inspect", dataset, "--sheet", path)
        assert result.exit_code == 1
        assert result.stderr == (
            f"Error: Cannot write the sheet {path}: it is a PNG. Give a name that ends in .png.\n"
        )
    for path in (photo, link):
        result = invoke("inspect", dataset, "--sheet", path)
        assert result.exit_code == 1
        assert result.stderr == (
            f"Error: {path} exists and is not a sheet made here. Name another file for the sheet.\n"
        )
    assert {path: path.read_bytes() for path in before} == before
    assert link.is_symlink()


@pytest.mark.parametrize("trainer", ["dtrb", "parseq", "openocr", "paddleocr", "mmocr"])
def test_verify_a_good_data_set(invoke: Run, dataset: Path, trainer: str) -> None:
    assert invoke("verify", dataset).exit_code == 0
    result = invoke("verify", dataset, "--for", trainer)
    assert result.exit_code == 0, result.output
    assert trainer in result.output


@pytest.mark.parametrize(
    ("key", "value", "found"),
    [
        (b"image-000000003", b"no image", "image that Pillow cannot decode"),
        (b"image-000000003", None, "image-000000003"),
        (b"label-000000002", None, "label-000000002"),
        (b"label-000000002", b"\xff", "label that is not UTF-8"),
        (b"wh-000000001", b"1_1", "wh- key that is not the image's size"),
        (b"num-samples", b"7", "image-000000007"),
    ],
)
def test_verify_exits_1_on_a_bad_data_set(
    invoke: Run, dataset: Path, key: bytes, value: bytes | None, found: str
) -> None:
    change(dataset, key, value)
    result = invoke("verify", dataset)
    assert result.exit_code == 1
    assert found in result.output


@pytest.mark.parametrize("command", ["inspect", "verify"])
def test_what_is_no_data_set_is_refused(invoke: Run, command: str, dataset: Path, tmp_path: Path) -> None:
    def message(path: Path) -> str:
        result = invoke(command, path)
        assert (result.exit_code, result.stderr.count("\n")) == (1, 1)
        return result.stderr.removeprefix("Error: ").strip()

    none = tmp_path / "none"
    assert message(none) == f"No data set at {none}: it does not exist. Give the folder that holds data.mdb."
    (tmp_path / "nothing").mkdir()
    assert message(tmp_path / "nothing") == (
        f"No data set at {tmp_path / 'nothing'}: it holds no data.mdb, and no *.parquet, *.tar, "
        "metadata.jsonl, labels.json, labels.csv, list of paths and labels, or *.gt.txt beside images. "
        "Give the folder that does."
    )
    content = (dataset / "data.mdb").read_bytes()
    for name, damaged, found in (
        ("half", content[:20_000], "is truncated"),
        ("other", b"x" * 5000, "is no LMDB, or its head is damaged"),
        ("empty", b"", "is empty"),
    ):
        (tmp_path / name).mkdir()
        (tmp_path / name / "data.mdb").write_bytes(damaged)
        assert found in message(tmp_path / name)
    change(dataset, b"num-samples", None)
    assert "has no 'num-samples'" in message(dataset)
