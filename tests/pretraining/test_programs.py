"""What `pretrain/` holds to be run: the Slurm script, the curves."""

import os
import runpy
import subprocess
from pathlib import Path

import pytest
from click.testing import CliRunner

PROGRAMS = Path(__file__).parents[2] / "pretrain"


def slurm(*arguments: str, **variables: str) -> list[str]:
    """Return the command that the script would run, in place of which `echo` stands here."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("SLURM")}
    script = subprocess.run(
        ["bash", str(PROGRAMS / "slurm.sh"), *arguments],
        env=environment | {"PYTHON": "echo"} | variables, capture_output=True, text=True, check=True,
    )  # fmt: skip
    return script.stdout.split()


def test_the_slurm_script_always_resumes() -> None:
    command = slurm("c.lmdb", "out", SLURM_GPUS_ON_NODE="4")
    assert command[:5] == ["-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "4"]
    assert command[5:] == [
        *(
            "-m",
            "siman_synth",
            "pretrain",
            "--crops",
            "c.lmdb",
            "--out",
            "out",
            "--recipe",
            "paper",
            "--resume",
        ),
    ]
    assert slurm("c", "out", "small", "--set", "training.steps=5")[-5:] == [
        "--recipe", "small", "--resume", "--set", "training.steps=5",
    ]  # fmt: skip


def test_the_slurm_script_starts_from_weights_once(tmp_path: Path) -> None:
    out = tmp_path / "run"
    assert slurm("c", str(out), "small", INIT="bundled")[-2:] == ["--init", "bundled"]
    (out / "checkpoints").mkdir(parents=True)
    assert slurm("c", str(out), "small", INIT="bundled")[-2:] == ["--init", "bundled"]
    (out / "checkpoints" / "state-00000005.pt").touch()
    assert slurm("c", str(out), "small", INIT="bundled")[-1] == "--resume"


@pytest.mark.parametrize("held_out", [True, False])
def test_curves_of_a_run_that_is_just_writing(tmp_path: Path, held_out: bool) -> None:
    pytest.importorskip("matplotlib").use("agg")
    lines = ['{"step": 1, "l2": 0.5, "adversarial_g": 1.0, "adversarial_d": 1.1}']
    lines += ['{"step": 1, "held_out_l2": 0.6}'] if held_out else []
    (tmp_path / "stats.jsonl").write_text("\n".join([*lines, '{"step": 2, "l']))
    main = runpy.run_path(str(PROGRAMS / "plot_stats.py"))["main"]
    picture = tmp_path / "curves.png"
    result = CliRunner().invoke(main, [str(tmp_path), str(picture)], catch_exceptions=False)
    assert result.exit_code == 0, result.output
    assert picture.stat().st_size > 5000
