"""The search: simulate, weigh, try the recipe that was found, and again near the best one.

Weighing moves all settings of which images tell anything at once, away from the default recipe or from what
was read from the crops. What it cannot know (how far to trust it, from which of the two to begin, and
settings of a whole run) is chosen by `optuna` trial by trial, and judged by words that were really made. All
that decides a trial follows from the seed and its number, so a search that was stopped goes on with the same
numbers.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from siman_synth import stopping
from siman_synth.fitting.averaging import MOST, mean_of_trials
from siman_synth.fitting.belief import Belief
from siman_synth.fitting.measures import LOOKS, SPECTRUM, Measured, Measures, distances
from siman_synth.fitting.reading import Reading, read
from siman_synth.fitting.recipe import RUN_CHOICES, SCENE_SHARE, recipe_of
from siman_synth.fitting.simulation import Recipe, Simulator, images_of
from siman_synth.fitting.store import Store, Trial
from siman_synth.fitting.variety import borne_share
from siman_synth.fitting.weighing import Round, Weighing
from siman_synth.seeding import derived_seed, sample_rng

PARTS = {"imagenet": 2.0, "ocr": 2.0, SPECTRUM: 1.0, LOOKS: 1.0}
"""What a score is made of, and how much each part counts."""


_CAUTION = (0.0003, 0.05)
"""How much leaving what weighing begins with may cost: at 0.3 half of what could be found was not."""
_CHOICES = {**RUN_CHOICES, "reading": (0.0, 1.0)}
"""What is chosen trial by trial: settings of a whole run, and whether weighing begins with what was read."""
_FIRST = (
    {"style.balance": 0.0, "finish.match_sharpness": 1.0, "reading": 0.0, "caution": 0.002},
    {"style.balance": 0.0, "finish.match_sharpness": 1.0, "reading": 1.0, "caution": 0.015},
)
"""What the first trials take, so that what is simulated next is near something good: looks as often as crops
have them, as in the simulated images."""
_ROUNDS_WEIGHED = 5
"""Earlier rounds say little of the recipes that are weighed by then, and cost memory."""
_ALIKE = 0.03
"""Scores that differ by less are alike: those of four sets of 360 words of one recipe had a standard
deviation of 0.020, the difference of two then has 0.028."""
_LEAST = 1e-3
"""A smaller distance of the default recipe is noise."""


@dataclass(frozen=True, slots=True)
class Effort:
    """How much is made in a search."""

    first_round: int = 1200
    """Images simulated at first, with every setting as far as it may go."""
    round: int = 600
    """Images simulated in each later round."""
    trials_a_round: int = 2
    words: tuple[int, ...] = (120, 360)
    """How many words a trial is judged by: the first number for all, the next where it looks promising."""
    wide_share: float = 0.25
    """Share of the values that later rounds draw from all that may be."""
    startup: int = 4
    """Trials before the search learns from earlier ones."""


@dataclass(frozen=True, slots=True)
class Targets:
    """Real crops as measured: half of them guides, the other half only checks."""

    guide: Measured
    checked: Measured

    @property
    def floor(self) -> dict[str, float]:
        """How far real crops are from each other."""
        return distances(self.guide, self.checked)


def score(found: Mapping[str, float], before: Mapping[str, float]) -> float:
    """Return the mean of distances, each as a share of what it was before."""
    parts = [(weight, found[part], before[part]) for part, weight in PARTS.items() if part in found]
    total = sum(weight * max(now, 0.0) / max(then, 1e-9) for weight, now, then in parts)
    return total / sum(weight for weight, _, _ in parts)


def best_of(trials: Sequence[Trial]) -> list[Trial]:
    """Return the best trials, the best first; only that of the default recipe, the first, if chance decides.

    They are judged by equally many words.
    """
    longest = max(trial.words for trial in trials)
    default, *others = trials
    judged = sorted((one for one in others if one.words == longest), key=lambda one: (one.score, one.number))
    if not judged or judged[0].score > default.score - _ALIKE:
        return [default]
    return [one for one in judged if one.score <= default.score][:MOST]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a search ended with."""

    trial: Trial
    """The recipe, as it was tried at last; its number is that of the best trial."""
    of: tuple[int, ...]
    """Numbers of the trials that it is the mean of, the best first: one where that was nearer alone."""


class Search:
    """One search, resumable trial by trial."""

    def __init__(
        self,
        simulator: Simulator,
        measures: Measures,
        targets: Targets,
        store: Store,
        default: Belief,
        seed: int,
        effort: Effort,
    ) -> None:
        self.simulator, self._measures, self.targets = simulator, measures, targets
        self._store, self.default, self._seed, self._effort = store, default, seed, effort
        self.trials = store.trials()
        self._rounds: list[Round] = []
        self._readings: dict[int, Reading] = {}

    @property
    def before(self) -> Trial:
        """The default recipe, which was tried first."""
        return self.trials[0]

    @property
    def best(self) -> Trial:
        """The best trial so far; the default recipe if none was better."""
        return best_of(self.trials)[0]

    def run(
        self,
        trials: int | None,
        deadline: float | None,
        report: Callable[["Search"], None],
        doing: Callable[[str], None],
    ) -> None:
        """Go on until there are as many trials, or the time (`time.monotonic`) is over.

        Args:
            trials: how many, beside the default recipe; None for any number.
            deadline: when to stop; one trial is made even if it is past.
            report: is told after each trial.
            doing: takes what is done now, in a few words.

        Raises:
            Stopped: between trials, or within one, which is then begun again on resume.
        """
        if not self.trials:
            doing("try the default recipe")
            self._keep(self._try_default())
        report(self)
        while not self._is_done(trials, deadline):
            number = len(self.trials)
            self._simulate_up_to((number - 1) // self._effort.trials_a_round, doing)
            doing("try what was found")
            self._keep(self._try(number))
            report(self)

    def outcome(self) -> Outcome:
        """Return the mean of the best trials, with words of the recipe `scene` where they are of the domain.

        It is the best trial alone if their mean is farther by more than chance.
        """
        best = best_of(self.trials)
        if not best[0].belief:
            return Outcome(best[0], (best[0].number,))
        for some in (best, best[:1]):
            trial = self._together(some)
            words = self._measured(trial)
            trial = self._judged(trial, words)
            if trial.score <= best[0].score + _ALIKE:
                break
        share = borne_share(words, self._measured(_as_scene(trial, 1.0)), self.targets.guide)
        if share:
            trial = _as_scene(trial, share)
            trial = self._judged(trial, self._measured(trial))
        return Outcome(trial, tuple(one.number for one in some))

    def _together(self, trials: Sequence[Trial]) -> Trial:
        """Return the first of some trials with what all of them believe on average."""
        if len(trials) == 1:
            return trials[0]
        belief, options = mean_of_trials(self.simulator.table, trials)
        return replace(trials[0], options=options, belief=belief.to_json())

    def _judged(self, trial: Trial, words: Measured) -> Trial:
        """Return a trial with what distances say of as many words of it as a trial is judged by at most."""
        guide, checked = self._compared(words)
        return replace(trial, guide=guide, checked=checked, score=score(guide, self.before.guide))

    def recipe(self, trial: Trial) -> Recipe:
        """Return the recipe of a trial."""
        if not trial.belief:
            return self._default_recipe()
        belief = Belief.from_json(self.simulator.table, trial.belief)
        return recipe_of(belief, self.simulator.job.config, trial.options, self.simulator.corpora)

    def words_of(self, trial: Trial, count: int) -> list[Any]:
        """Return the first `count` words that a trial was judged by."""
        return self._words(self.recipe(trial), count)

    def _is_done(self, trials: int | None, deadline: float | None) -> bool:
        enough = trials is not None and len(self.trials) > trials
        late = deadline is not None and time.monotonic() >= deadline and len(self.trials) > 1
        return enough or late

    def _keep(self, trial: Trial) -> None:
        self.trials.append(trial)
        self._store.keep_trials(self.trials)

    def _words(self, recipe: Recipe, count: int) -> list[Any]:
        return self.simulator.words(recipe, count, derived_seed(self._seed, "fit", "words") % 2**31)

    def _measured(self, trial: Trial) -> Measured:
        return self._measures.measure(images_of(self.words_of(trial, self._effort.words[-1])))

    def _default_recipe(self) -> Recipe:
        return Recipe(self.simulator.base, self.simulator.corpora)

    def _try_default(self) -> Trial:
        count = self._effort.words[-1]
        measured = self._measures.measure(images_of(self._words(self._default_recipe(), count)))
        guide, checked = self._compared(measured)
        return Trial(0, {}, [], count, guide, checked, 1.0)

    def _simulate_up_to(self, last: int, doing: Callable[[str], None]) -> None:
        """Have rounds 0 to `last`: of the disk, or made now."""
        while len(self._rounds) <= last:
            number = len(self._rounds)
            one = self._store.round(number)
            if one is None:
                doing("simulate near the best" if number else "simulate all that may be")
                one = self._simulate(number)
                self._store.keep_round(number, one)
            self._rounds.append(one)

    def _simulate(self, number: int) -> Round:
        effort = self._effort
        known = [trial for trial in self.trials if trial.belief]
        if number == 0 or not known:
            drawn_from, count, share = Belief.wide(self.simulator.table), effort.first_round, 0.5
        else:
            # Of these trials alone: on resume there may be later ones.
            earlier = [one for one in known if one.number <= number * effort.trials_a_round]
            nearest = min(earlier, key=lambda one: one.score)
            drawn_from = Belief.from_json(self.simulator.table, nearest.belief)
            count, share = effort.round, effort.wide_share
        points = drawn_from.draw(count, sample_rng(self._seed, "fit", "points", number), share)
        kept, images = self.simulator.simulate(points, number)
        return Round(drawn_from, share, kept, self._measures.features(images))

    def _try(self, number: int) -> Trial:
        asked = self._ask(number)
        options = {
            name: float(asked.suggest_categorical(name, choices)) for name, choices in _CHOICES.items()
        }
        options["caution"] = asked.suggest_float("caution", *_CAUTION, log=True)
        before = self.before.guide
        kinds = self.targets.guide.features
        rounds = self._rounds[: (number - 1) // self._effort.trials_a_round + 1]
        reading = self._read(rounds)
        base = reading.belief if options["reading"] else self.default
        start = base if options["reading"] else rounds[-1].drawn_from
        weighing = Weighing(rounds[-_ROUNDS_WEIGHED:], kinds, base, reading.told, reading.apart)
        found = weighing.find(start, options["caution"], {kind: max(before[kind], _LEAST) for kind in kinds})
        recipe = recipe_of(found.belief, self.simulator.job.config, options, self.simulator.corpora)
        for step, count in enumerate(self._effort.words):
            stopping.check()
            # From the start again: what a run of few words holds is what a longer one begins with.
            measured = self._measures.measure(images_of(self._words(recipe, count)))
            guide, checked = self._compared(measured)
            value = score(guide, before)
            asked.report(value, step)
            if asked.should_prune():
                break
        return Trial(number, options, found.belief.to_json(), count, guide, checked, value)

    def _read(self, rounds: Sequence[Round]) -> Reading:
        """Read the crops by all rounds so far, once for each number of them."""
        count = len(rounds)
        if count not in self._readings:
            self._readings[count] = read(rounds, self.targets.guide.features, self.default, self._seed)
        return self._readings[count]

    def _compared(self, measured: Measured) -> tuple[dict[str, float], dict[str, float]]:
        return distances(measured, self.targets.guide), distances(measured, self.targets.checked)

    def _ask(self, number: int) -> Any:
        """Return the next trial of a study that knows all earlier ones."""
        import optuna

        optuna.logging.set_verbosity(optuna.logging.ERROR)
        sampler = optuna.samplers.TPESampler(
            seed=derived_seed(self._seed, "fit", "trial", number) % 2**32,
            n_startup_trials=self._effort.startup,
        )
        pruner = optuna.pruners.SuccessiveHalvingPruner(min_resource=1, reduction_factor=2)
        study = optuna.create_study(sampler=sampler, pruner=pruner)
        kinds: dict[str, Any] = {
            name: optuna.distributions.CategoricalDistribution(choices) for name, choices in _CHOICES.items()
        }
        kinds["caution"] = optuna.distributions.FloatDistribution(*_CAUTION, log=True)
        for trial in self.trials[1:]:
            study.add_trial(_told(trial, kinds, self._effort.words))
        if number <= len(_FIRST):
            study.enqueue_trial(dict(_FIRST[number - 1]))
        return study.ask()


def _as_scene(trial: Trial, share: float) -> Trial:
    """Return a trial with a share of its words drawn as the recipe `scene` draws them."""
    return replace(trial, options={**trial.options, SCENE_SHARE: share})


def _told(trial: Trial, kinds: Mapping[str, Any], words: Sequence[int]) -> Any:
    """Return a trial as optuna knows it."""
    import optuna

    state = optuna.trial.TrialState
    step = words.index(trial.words)
    return optuna.trial.create_trial(
        state=state.COMPLETE if trial.words == words[-1] else state.PRUNED,
        params=dict(trial.options),
        distributions=dict(kinds),
        value=trial.score,
        intermediate_values={step: trial.score},
    )
