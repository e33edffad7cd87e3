"""The direction of dependency, what a light command must not import, and bars that nobody watches."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PACKAGE = ROOT / "siman_synth"
LAYERS = {
    "bidi": 0, "escaping": 0, "stopping": 0, "suggestions": 0,
    "errors": 1,
    "extras": 2, "files": 2, "limits": 2, "resources": 2, "seeding": 2, "several": 2,
    "tally": 2, "toml_text": 2, "torchrun": 2,
    "marked_folder": 3, "own_names": 3, "rows": 3, "sealed": 3, "work_folder": 4,
    "config": 3, "imaging": 3, "watched": 3,
    "text": 4, "storage": 4, "models": 4,
    "crops": 5, "render": 5, "ocr": 5,
    "recognition": 6,
    "wording": 7,
    "synthesis": 7, "training": 7,
    "photos": 8, "pretraining": 8, "runs": 8, "evaluation": 8,
    "exports": 8, "editing": 8,
    "recognizer_training": 9, "fitting": 9,
    "web": 10,
    "cli": 11,
}  # fmt: skip
NO_TORCH = ("text", "render", "storage", "imaging")


def imports_of(path: Path) -> set[str]:
    names = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names.add(node.module)
    return names


def part_of(module: str) -> str:
    return module.split(".")[1]


@pytest.mark.parametrize(
    "path", sorted(PACKAGE.rglob("*.py")), ids=lambda path: str(path.relative_to(PACKAGE))
)
def test_imports_go_downwards(path: Path) -> None:
    part = path.relative_to(PACKAGE).parts[0].removesuffix(".py")
    if part in ("__init__", "__main__"):
        return
    for name in imports_of(path):
        if name.startswith("siman_synth."):
            other = part_of(name)
            assert other == part or LAYERS[other] < LAYERS[part], f"{part} imports {name}"
        if part in NO_TORCH:
            assert name.split(".")[0] != "torch", f"{part} imports torch"


def test_help_and_version_do_not_import_torch() -> None:
    code = (
        "import sys\nfrom siman_synth.cli import main\n"
        "try:\n    main(['--help'])\nexcept SystemExit:\n    pass\n"
        "assert 'torch' not in sys.modules and 'cv2' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True, capture_output=True)


def test_every_progress_bar_is_quiet_when_nobody_watches() -> None:
    """`disable=None` asks whether there is a terminal; whatever else is passed is somebody's decision."""
    folders = ("siman_synth", "benchmarks", "pretrain", "examples", "docs", "fonts", "corpora")
    loud = [
        f"{path.relative_to(ROOT)}:{node.lineno}"
        for folder in folders
        for path in sorted((ROOT / folder).rglob("*.py"))
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call)
        and getattr(node.func, "id", "") == "tqdm"
        and not any(keyword.arg in ("disable", None) for keyword in node.keywords)
    ]
    assert loud == []


def test_commands_that_need_no_torch_do_not_wait_for_it() -> None:
    """It takes longer to load than most of them last; `evaluate` needs it for features of networks alone."""
    code = (
        "import sys\n"
        "import siman_synth.evaluation.pipeline, siman_synth.wording.reading, siman_synth.exports.run\n"
        "import siman_synth.photos.run, siman_synth.storage.verify, siman_synth.synthesis.config\n"
        "from siman_synth.recognition.own_ocr import open_ocr\n"
        "assert open_ocr('none') is None\n"
        "assert 'torch' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
