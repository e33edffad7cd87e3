"""Who calls the library has no command line: its messages speak of parameters."""

import ast
import re
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parent.parent / "siman_synth"
FLAG = re.compile(r"(?<![\w-])--[a-z]")


def docstrings(tree: ast.AST) -> set[int]:
    """Return the nodes that are docstrings: of modules, classes and functions, and below fields."""
    return {
        id(node.value)
        for parent in ast.walk(tree)
        if isinstance(getattr(parent, "body", None), list)
        for node in parent.body  # type: ignore[attr-defined]
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
    }


@pytest.mark.parametrize(
    "path",
    sorted(path for path in PACKAGE.rglob("*.py") if path.relative_to(PACKAGE).parts[0] != "cli"),
    ids=lambda path: str(path.relative_to(PACKAGE)),
)
def test_no_message_names_an_option_of_the_command_line(path: Path) -> None:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    left_out = docstrings(tree)
    named = [
        node.value
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
        if id(node) not in left_out and FLAG.search(node.value)
    ]
    assert named == []
