"""A fit from end to end: crops, search, weights, and the folder that holds what was found."""

import time
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
from tqdm import tqdm

from siman_synth import __version__, stopping
from siman_synth.config import to_mapping
from siman_synth.crops.pool import require_apart
from siman_synth.errors import ConfigError
from siman_synth.evaluation.features import FEATURE_PACKAGES, usable_threads
from siman_synth.extras import require
from siman_synth.files import content_hash, write_text, write_texts
from siman_synth.fitting.belief import Belief, belief_of
from siman_synth.fitting.crops import FEWEST, drawn_crops, hidden, measured_crops
from siman_synth.fitting.folder import MODEL, RECIPE, REPORT, FitFolder
from siman_synth.fitting.measures import KINDS, Measures, distances
from siman_synth.fitting.model import model_text
from siman_synth.fitting.own_weights import own_weights
from siman_synth.fitting.recipe import SCENE_SHARE, recipe_text, settings_of
from siman_synth.fitting.repainting import repainted
from siman_synth.fitting.report import report_page
from siman_synth.fitting.result import FitResult
from siman_synth.fitting.search import Effort, Outcome, Search, Targets, score
from siman_synth.fitting.simulation import Simulator
from siman_synth.fitting.store import Store, Trial
from siman_synth.fitting.table import CORPORA, FAMILIES
from siman_synth.limits import require_whole
from siman_synth.models.checkpoint import load_generator
from siman_synth.ocr.recognizer import Image
from siman_synth.resources import own_file
from siman_synth.runs.inputs import check_inputs
from siman_synth.runs.job import Job
from siman_synth.several import Names, named
from siman_synth.synthesis.config import GenerateConfig
from siman_synth.tally import Tally

FONTS = ("all", "printers")
"""The bundled fonts to choose from: those of printers, too, which are not among all."""

MINUTES = 20.0
"""How long a search lasts if nothing else is said."""

_REPAINTED = "repainted"


def fit(
    crops: Names,
    out: str | Path,
    *,
    corpus: Names = ("default",),
    fonts: Names = FONTS,
    weights: str | Path | None = None,
    config: GenerateConfig | None = None,
    minutes: float | None = None,
    trials: int | None = None,
    pretrain_steps: int = 0,
    seed: int = 0,
    device: str = "cpu",
    resume: bool = False,
    overwrite: bool = False,
    show_progress: bool | None = None,
    effort: Effort | None = None,
) -> FitResult:
    """Find settings whose words look like unlabeled crops, and write them into the folder `out`.

    Args:
        crops: a folder tree, a list or an LMDB of crops, or several; labels are never read.
        out: a folder: recipe.toml, model.toml, report.html, and the search itself. It must not exist
            unless told otherwise.
        corpus: where words come from; how often each source comes is fitted, unless weights say so.
        fonts: fonts to choose from.
        weights: weights as `weights_file` takes them; None is "small".
        config: where the search begins, and settings that are not fitted.
        minutes: how long to search; None is 20 if `trials` is None, too.
        trials: how many recipes to try instead. The same seed and number give the same recipe.
        pretrain_steps: steps that pretraining goes on with from the weights, on the crops, before the search;
            0 for none. A search that was made with other weights begins anew.
        seed: decides all that is drawn.
        device: a torch device.
        resume: go on with the fit in `out`, if there is one; with more minutes or trials it goes further.
        overwrite: remove the fit in `out` and begin anew, once the inputs were found usable.
        show_progress: True, False, or None to show bars only on a terminal.
        effort: how much is made a round and a trial.

    Raises:
        MissingPackageError: an optional package is missing.
        SimanError: an input cannot be used, there are too few crops, or `out` is not free for this fit.
    """
    _check_budget(minutes, trials, pretrain_steps)
    require("fit", "siman-synth fit", ["optuna", "jinja2", "matplotlib", *_feature_packages()])
    folder = FitFolder(Path(out))
    folder.require_free(resume, overwrite)
    base = config or GenerateConfig()
    job = Job(
        count=1,
        corpus=corpus,
        styles=crops,
        fonts=fonts,
        weights=weights,
        device=device,
        seed=seed,
        config=base,
    )
    require_apart(Path(out), job.styles)
    inputs = check_inputs(job)
    effort = effort or Effort()
    identity = {**job.identity(inputs.contents), "effort": to_mapping(effort)}
    real = drawn_crops(inputs.opened.styles.pool, seed)
    with stopping.stops_at_checks(), folder.held(resume, overwrite, identity):
        own = own_weights(folder, job, pretrain_steps, show_progress)
        opened = inputs.opened
        if own is not None:
            job = replace(job, weights=own)
            opened = replace(opened, generator=load_generator(own).generator)
        started = time.monotonic()
        simulator = Simulator(job, opened, seed)
        store = Store(folder.search, simulator.table, "" if own is None else content_hash(own))
        measures = Measures(usable_threads())
        targets = measured_crops(real, measures, store, show_progress)
        search = Search(simulator, measures, targets, store, default_belief(simulator), seed, effort)
        limit = MINUTES if minutes is None and trials is None else minutes
        deadline = None if limit is None else started + 60 * limit
        outcome = _search(search, targets.floor, trials, deadline, show_progress)
        # Weights of its own have been trained on the crops already.
        painting = {} if own is not None else _painting(simulator, real, measures, targets, store)
        found = _result(folder.path, search, outcome, targets.floor, inputs.skipped, painting)
        _write(folder, search, outcome.trial, found, real, measures, has_weights=own is not None)
    return found


def default_belief(simulator: Simulator) -> Belief:
    """Return what the recipe without a fit draws, as a belief."""
    table, config = simulator.table, simulator.base
    found = belief_of(to_mapping(config), table, Belief.wide(table))
    values = list(found.values)
    fonts = {font.family: font for font in reversed(simulator.inputs.fonts.fonts)}
    weights = np.array([config.render.font_weight(fonts[name]) for name in table.choices(FAMILIES)])
    values[table.column(FAMILIES)] = weights / weights.sum()
    if CORPORA in table:
        values[table.column(CORPORA)] = np.array(list(simulator.corpora.values()))
    return Belief(table, tuple(values))


def _search(
    search: Search, floor: dict[str, float], trials: int | None, deadline: float | None, progress: bool | None
) -> Outcome:
    """Search under a bar that shows the best distance so far beside the floor, and return what was found."""
    with tqdm(desc="fit", total=trials, unit="trial", disable=hidden(progress), dynamic_ncols=True) as bar:

        def report(now: Search) -> None:
            bar.n = len(now.trials) - 1
            among = score(floor, now.before.guide)
            bar.set_postfix_str(f"distance {now.best.score:.2f} of the default's, real crops {among:.2f}")

        search.run(trials, deadline, report, bar.set_description)
        bar.set_description("take the best together")
        return search.outcome()


def _painting(
    simulator: Simulator, real: list[Image], measures: Measures, targets: Targets, store: Store
) -> dict[str, float]:
    """Return how far guiding crops, repainted by the network, are from the others; nothing of few of them."""
    measured = store.measured(_REPAINTED)
    if measured is None:
        images = repainted(real[::2], simulator.inputs.generator, simulator.base)
        if len(images) < FEWEST // 2:
            return {}
        measured = measures.measure(images)
        store.keep_measured(_REPAINTED, measured)
    apart = distances(measured, targets.checked)
    return {kind: apart[kind] for kind in KINDS}


def _result(
    out: Path,
    search: Search,
    outcome: Outcome,
    floor: dict[str, float],
    skipped: Mapping[str, Tally],
    painting: dict[str, float],
) -> FitResult:
    before, after = search.before, outcome.trial
    return FitResult(
        out=out,
        trials=len(search.trials) - 1,
        of=outcome.of,
        before=before.checked,
        after=after.checked,
        guide_before=before.guide,
        guide_after=after.guide,
        floor=floor,
        painting=painting,
        scene_share=after.options.get(SCENE_SHARE, 0.0),
        skipped=skipped,
    )


def _write(
    folder: FitFolder,
    search: Search,
    best: Trial,
    found: FitResult,
    real: list[Image],
    measures: Measures,
    has_weights: bool,
) -> None:
    simulator = search.simulator
    recipe = search.recipe(best)
    heading = (
        f"What siman-synth {__version__} fit found in the crops of {named(simulator.job.styles)}.\n"
        f"Distance to crops that did not guide the search:\n{found.summary()}"
    )
    page = report_page(search, best, found, real, measures)
    write_texts(
        {
            folder.path / RECIPE: recipe_text(recipe, settings_of(simulator.table), heading),
            folder.path / REPORT: page,
        }
    )
    # Last: with it the folder is a model.
    write_text(
        folder.path / MODEL,
        model_text(
            [str(Path(one).absolute()) if Path(one).exists() else one for one in simulator.job.styles],
            [f"{_absolute(spec)}:{weight:g}" for spec, weight in recipe.corpora.items()],
            [_absolute(spec) for spec in simulator.job.fonts],
            has_weights,
        ),
    )


def _absolute(spec: str) -> str:
    path = own_file(spec)
    return spec if path is None else str(path.absolute())


def _check_budget(minutes: float | None, trials: int | None, steps: int) -> None:
    if minutes is not None and not (isinstance(minutes, (int, float)) and 0 < minutes < 100_000):
        raise ConfigError(f"minutes must be more than 0, found {minutes}.")
    if trials is not None:
        require_whole("trials", trials, 1)
    if steps < 0:
        raise ConfigError(f"pretrain_steps must be 0 or more, found {steps}.")


def _feature_packages() -> list[str]:
    return list(dict.fromkeys(module for modules in FEATURE_PACKAGES.values() for module in modules))
