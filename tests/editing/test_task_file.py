"""Files of edits: CSV and JSON lines say the same, and what is wrong is told with its line."""

from dataclasses import replace
from pathlib import Path

import pytest

from siman_synth.editing.errors import EditError
from siman_synth.editing.task_file import EditTask, read_tasks


def test_csv_and_json_lines_say_the_same(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text(
        "photo,text,out,quad,box,old,index,width,align\n"
        'a.jpg,"No, 1",b.png,"1,2,3,4,5,6,7,8",,,,,\n'
        "a.jpg,Öl,c.png,,1 2 30 40,Oil,,keep,\n"
        "a.jpg,Tea,d.png,,,Coffee,2,,end\n",
        encoding="utf-8-sig",
    )
    (tmp_path / "a.jsonl").write_text(
        '{"photo": "a.jpg", "text": "No, 1", "out": "b.png", "quad": [[1, 2], [3, 4], [5, 6], [7, 8]]}\n\n'
        '{"photo": "a.jpg", "text": "Öl", "out": "c.png", "box": [1, 2, 30, 40], "old": "Oil", "width": "keep"}\n'  # noqa: E501
        '{"photo": "a.jpg", "text": "Tea", "out": "d.png", "old": "Coffee", "index": 2, "align": "end"}\n',
        encoding="utf-8",
    )
    photo = tmp_path / "a.jpg"
    expected = [
        EditTask(photo, "No, 1", tmp_path / "b.png", quad=(1, 2, 3, 4, 5, 6, 7, 8)),
        EditTask(photo, "Öl", tmp_path / "c.png", box=(1, 2, 30, 40), old="Oil", width="keep"),
        EditTask(photo, "Tea", tmp_path / "d.png", old="Coffee", index=2, align="end"),
    ]
    for name, lines in {"a.csv": (2, 3, 4), "a.jsonl": (1, 3, 4)}.items():
        tasks = read_tasks(tmp_path / name)
        assert [task.row for task in tasks] == list(lines)
        assert [replace(task, row=None) for task in tasks] == expected


@pytest.mark.parametrize("separator", [";", "\t"])
def test_values_are_parted_as_the_header_is(tmp_path: Path, separator: str) -> None:
    lines = ("photo,text,out,box", 'a.jpg,B,c.png,"1/2/3/4"')
    text = "\r\n".join(line.replace(",", separator).replace("/", ",") for line in lines)
    (tmp_path / "edits.csv").write_bytes(text.encode("utf-8-sig"))
    (task,) = read_tasks(tmp_path / "edits.csv")
    assert (task.text, task.box) == ("B", (1, 2, 3, 4))


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", " holds no edit. Give a header and a line for each edit, or JSON objects."),
        ("photo,text,out\n", " holds a header alone, no edit."),
        ("photo,text\na.jpg,B\n", ", line 2: 'out' is missing or no text."),
        ("photo,text,out,colour\na.jpg,B,c.png,red\n", ", line 2: unknown name 'colour'. Known are photo, text, "  # noqa: E501
         "out, quad, box, old, index, width, align."),
        ("photo,text,out\na.jpg,B,c.png,1,2\n", " has lines with more values than its header has names. Quote "  # noqa: E501
         "commas."),
        ("photo,text,out,box\na.jpg,B,c.png,1 2 3\n", ", line 2: box needs 4 numbers, found '1 2 3'."),
        ('{"photo": "a.jpg", "text": "B", "out": "c.png", "quad": 3}', ", line 1: quad needs 8 numbers, found 3."),  # noqa: E501
        ('{"photo": "a.jpg", "text": 3, "out": "c.png"}', ", line 1: 'text' is missing or no text."),
        ('{"photo": "a.jpg", "text": "B", "out": "c.png", "index": 0}', ", line 1: index counts from 1, found 0."),  # noqa: E501
        ('{"photo": "a.jpg", "text": "B", "out": "c.png", "width": 1}', ", line 1: width must be natural or keep, "  # noqa: E501
         "found 1."),
        ("photo,text,out,align\na.jpg,B,c.png,left\n", ", line 2: align must be auto, start, center or end, "
         "found 'left'."),
        ('{"photo": "a.jpg", "text": "B", "out": "c.png", "old": 1}', ", line 1: old must be a text, found 1."),  # noqa: E501
        ('{"photo"', ", line 1: not JSON ("),
    ],
)  # fmt: skip
def test_what_is_wrong_is_told_with_its_line(tmp_path: Path, content: str, message: str) -> None:
    path = tmp_path / "edits"
    path.write_text(content)
    with pytest.raises(EditError) as caught:
        read_tasks(path)
    assert str(caught.value).startswith(f"{path}{message}")


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(EditError, match="Cannot read"):
        read_tasks(tmp_path / "none.csv")
    (tmp_path / "bytes").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(EditError, match="is not UTF-8 text"):
        read_tasks(tmp_path / "bytes")
