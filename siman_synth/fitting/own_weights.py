"""Weights of a fit's own: pretraining that goes on, on the crops, from the weights that it begins with.

It comes before the search, which then finds the recipe for the network that will paint its words.
"""

from dataclasses import replace
from pathlib import Path

from siman_synth import stopping
from siman_synth.config import load_config
from siman_synth.errors import OutputError
from siman_synth.files import write_bytes
from siman_synth.fitting.folder import PRETRAINING, WEIGHTS, FitFolder
from siman_synth.models.checkpoint import load_generator
from siman_synth.resources import resource_folder
from siman_synth.runs.job import Job


def own_weights(folder: FitFolder, job: Job, steps: int, progress: bool | None) -> Path | None:
    """Return the weights that lie in the folder of a fit, trained now if there are steps left.

    Args:
        folder: of the fit, held.
        job: crops, and the weights to go on from.
        steps: how many steps to train in all; 0 leaves what is there.
        progress: True, False, or None to show a bar only on a terminal.

    Returns:
        None if there are none.

    Raises:
        OutputError: pretraining left no weights.
        Stopped: in pretraining, which then goes on on resume.
    """
    own = folder.path / WEIGHTS
    if not steps:
        return own if own.exists() else None
    from siman_synth.pretraining.config import PretrainConfig
    from siman_synth.pretraining.run import pretrain
    from siman_synth.training.checkpoints import Checkpoints

    settings = [f"training.steps={steps}", f"training.seed={job.seed}"]
    config = load_config(PretrainConfig, "small", settings, resource_folder("pretrain/recipes"))
    # Whatever network the weights hold.
    model = load_generator(job.weights).generator.config
    plain = 1.0 if model.content == "plain" else config.augmentation.plain
    config = replace(config, model=model, augmentation=replace(config.augmentation, plain=plain))
    run = folder.path / PRETRAINING
    # A run without a checkpoint has nothing to go on from.
    resume = bool(Checkpoints(run / "checkpoints").files())
    done = pretrain(
        config,
        job.styles,
        run,
        resume=resume,
        init=None if resume else job.weights,
        device=job.device,
        show_progress=progress,
    )
    stopping.check()
    if done.weights is None:
        raise OutputError(f"Pretraining in {run} left no weights. Overwrite the fit.")
    write_bytes(own, done.weights.read_bytes())
    return own
