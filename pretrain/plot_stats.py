"""Draw a run's curves from its stats.jsonl (needs matplotlib).

python pretrain/plot_stats.py runs/mine curves.png
"""

import contextlib
import json
from pathlib import Path

import click


def read_lines(path: Path) -> list[dict[str, float]]:
    """Return the reports in a stats.jsonl, but for a last line that a run is just writing."""
    lines = []
    for text in path.read_text(encoding="utf-8").splitlines():
        with contextlib.suppress(ValueError):
            lines.append(json.loads(text))
    return lines


@click.command()
@click.argument("run", type=click.Path(path_type=Path, exists=True))
@click.argument("picture", type=click.Path(path_type=Path))
def main(run: Path, picture: Path) -> None:
    """Draw reconstruction, held-out reconstruction and adversarial losses against steps."""
    from matplotlib import pyplot

    lines = read_lines(run / "stats.jsonl")
    figure, (left, right) = pyplot.subplots(1, 2, figsize=(10, 3.2), layout="constrained")
    for axes, names in ((left, ("l2", "held_out_l2")), (right, ("adversarial_g", "adversarial_d"))):
        for name in names:
            points = [(line["step"], line[name]) for line in lines if name in line]
            if not points:  # no crops were held out
                continue
            # The held-out error comes from the averaged network on fixed pairs: few points, a thick line.
            width = 2.2 if name == "held_out_l2" else 0.8
            axes.plot(*zip(*points, strict=True), label=name, linewidth=width)
        axes.set_xlabel("step")
        axes.legend()
    left.set_yscale("log")
    figure.savefig(picture, dpi=100)
    click.echo(f"curves in {picture}")


if __name__ == "__main__":
    main()
