"""Images of the points of a table, and words of a recipe: both from inputs that are opened once."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from siman_synth import stopping
from siman_synth.config import from_mapping, to_mapping
from siman_synth.errors import CropError, FontError
from siman_synth.fitting.belief import Points
from siman_synth.fitting.table import CASE, CORPORA, FAMILIES, Table
from siman_synth.imaging.codec import decode
from siman_synth.models.device import resolve_device
from siman_synth.ocr.recognizer import Image
from siman_synth.render.word import WordRenderer
from siman_synth.runs.inputs import Inputs
from siman_synth.runs.job import Job
from siman_synth.runs.samples import Workshop, make_samples
from siman_synth.seeding import derived_seed
from siman_synth.storage.lmdb_format import Sample
from siman_synth.synthesis.config import GenerateConfig
from siman_synth.synthesis.painter import Painter
from siman_synth.synthesis.plan import Planner
from siman_synth.synthesis.word_maker import WordMaker, WordPlan
from siman_synth.text.mixture import CorpusMixture, has_weight

_TOGETHER = 64


@dataclass(frozen=True, slots=True)
class Recipe:
    """Settings, and how often each source of words comes."""

    config: GenerateConfig
    corpora: Mapping[str, float]


class Simulator:
    """Makes images of points and of recipes.

    Args:
        job: crops, words, fonts, weights; its settings hold where nothing is fitted.
        inputs: the same, opened.
        seed: decides all that points and recipes do not.
    """

    def __init__(self, job: Job, inputs: Inputs, seed: int) -> None:
        self.job, self.inputs, self._seed = job, inputs, seed
        families = {font.family: font.kind for font in inputs.fonts.fonts}
        mixture = inputs.mixture
        sources = dict(zip(mixture.specs, mixture.kinds, strict=True))
        self.table = Table.of(families, sources, settled(job.corpus, mixture))
        self.corpora = dict(zip(mixture.specs, mixture.weights, strict=True))
        """How often each source comes where nothing else was found."""
        self.base = job.config
        self._base = to_mapping(job.config)
        device = resolve_device(job.device)
        renderer = WordRenderer(inputs.fonts, job.config.render)
        painter = Painter(inputs.generator.to(device), device, job.config.execution)
        self._maker = WordMaker(renderer, painter, job.config.finish, inputs.gate)
        # As often as the domain has them: the crops that images are compared with are not balanced.
        self._styles = inputs.styles.balanced(0.0)

    def simulate(self, points: Points, number: int) -> tuple[Points, list[Image]]:
        """Return the points of round `number` that can be drawn and pass the gate, and an image of each.

        Where the font that a point names lacks a character, the point names the one that was drawn.
        """
        families = self.table.choices(FAMILIES)
        kept: list[npt.NDArray[np.float64]] = []
        images: list[Image] = []
        for start in range(0, len(points), _TOGETHER):
            drafts, drawn = [], []
            for index in range(start, min(start + _TOGETHER, len(points))):
                stopping.check()
                try:
                    plan = self._planner(points[index], number).plan(index)
                    draft = self._maker.draft(WordPlan(plan.content, self._styles[plan.style], plan.finish))
                except (FontError, CropError):
                    continue
                point = points[index].copy()
                family = self.inputs.fonts.font(plan.content.font).family
                point[self.table.column(FAMILIES)] = families.index(family)
                drafts.append(draft)
                drawn.append(point)
            for point, word in zip(drawn, self._maker.make(drafts), strict=True):
                if word.problem is None:
                    kept.append(point)
                    images.append(word.image)
        return np.array(kept).reshape(len(kept), points.shape[1]), images

    def words(self, recipe: Recipe, count: int, seed: int) -> list[Sample]:
        """Return `count` words as `generate` makes them from a recipe; fewer if some cannot be made."""
        execution = replace(recipe.config.execution, shard_size=count)
        config = replace(recipe.config, execution=execution)
        styles = self.inputs.styles.balanced(config.style.balance)
        mixture = self.inputs.mixture.weighed(recipe.corpora, config.text)
        inputs = replace(self.inputs, mixture=mixture, styles=styles)
        job = replace(self.job, count=count, seed=seed, config=config)
        return make_samples(Workshop(job, inputs), 0).samples

    def _planner(self, point: npt.NDArray[np.float64], number: int) -> Planner:
        flat: dict[str, Any] = {}
        corpora = self.corpora
        for entry, value in zip(self.table, point.tolist(), strict=True):
            if entry.name == CORPORA:
                corpora = entry.settings(value)
            elif entry.name == FAMILIES:
                chosen = self.table.choices(FAMILIES)[int(value)]
                flat["render.families"] = {chosen: 1.0}
            else:
                flat |= entry.settings(value)
        config = from_mapping(GenerateConfig, with_settings(self._base, {**AS_SIMULATED, **flat}), "fit")
        mixture = self.inputs.mixture.weighed(corpora, config.text)
        seed = derived_seed(self._seed, "fit", "round", number)
        return Planner(seed, mixture, self.inputs.fonts, self._styles, config)


def settled(corpus: Sequence[str], mixture: CorpusMixture) -> frozenset[str]:
    """Return which entries are not fitted, since the words that were given say them.

    Weights say how often each source comes. Lists in which capitals stand where they belong say the letter
    case. How many of a list's lines make one is fitted in any case: a wide crop is a long line, and few of
    those that were read are.
    """
    found = set()
    if len(mixture.specs) == 1 or any(map(has_weight, corpus)):
        found.add(CORPORA)
    if not mixture.mixes_case:
        found.add(CASE)
    return frozenset(found)


AS_SIMULATED = {
    "scene_share": 0.0,
    "render.other_families": 0.0,
    "render.script_weight": 1.0,
    "render.handwriting_weight": 1.0,
    "render.display_weight": 1.0,
    "text.fit_lines": True,
    "render.layout.combined.weight": 0.0,
}


def with_settings(base: Mapping[str, Any], flat: Mapping[str, Any]) -> dict[str, Any]:
    """Return nested settings with some of them, by their full names, replaced."""
    nested = {key: dict(value) if isinstance(value, Mapping) else value for key, value in base.items()}
    for name, value in flat.items():
        *parts, last = name.split(".")
        table = nested
        for part in parts:
            table[part] = dict(table.get(part, {}))
            table = table[part]
        table[last] = value
    return nested


def images_of(samples: Sequence[Sample]) -> list[Image]:
    """Return the images of samples as their readers see them."""
    return [decode(sample.image) for sample in samples]
