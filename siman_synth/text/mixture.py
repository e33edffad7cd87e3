"""A weighted mixture of corpora and patterns: the source of every label."""

import bisect
import hashlib
import itertools
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Annotated, Literal, Protocol

import numpy as np

from siman_synth.errors import ConfigError, CorpusError
from siman_synth.limits import HEAVIEST, Between, Share, check_settings, is_weight
from siman_synth.resources import own_file, own_path
from siman_synth.seeding import sample_rng
from siman_synth.several import Names, several
from siman_synth.suggestions import did_you_mean, one_name
from siman_synth.tally import Tally
from siman_synth.text.casing import CaseConfig, cased_characters, set_case
from siman_synth.text.catalogue import bundled_catalogue
from siman_synth.text.corpus import Corpus, bundled_corpus
from siman_synth.text.cutting import cut_at_an_end
from siman_synth.text.joining import joined
from siman_synth.text.languages import AUTO, base_language, is_language, language_of
from siman_synth.text.pattern_file import SUFFIX, PatternFile
from siman_synth.text.patterns import LONGEST, PATTERNS, Pattern
from siman_synth.text.visible import length
from siman_synth.watched import WatchedFile

DEFAULT = "default"
"""The spec of the mixture whose weights stand in `corpora.toml`."""
WORDS = "words"
"""The kind of sources that are lists; see `CorpusMixture.kinds`."""

_PROBES = 400
_FEWEST_FITTING = _PROBES // 100
_ATTEMPTS = 64


@dataclass(frozen=True, kw_only=True, slots=True)
class TextConfig:
    """What labels may look like."""

    max_length: Annotated[int, Between(1, 1000)] = 25
    """Words (or lines of a file) of more characters, as a reader counts them, are left out; where `words`
    asks for n words, lines of more than n such words with a space each."""
    words: Annotated[tuple[int, int], Between(1, 100)] = (1, 1)
    """How many words, each of up to `max_length` characters, make a label, as a range: lines of [1, 8]
    words, with spaces where the script has them and in one letter case. More than one are not chosen by
    the width of a crop, unless `fit_lines` says so. A line of a file that is a phrase counts as one of them.
    Long lines need a greater `render.max_aspect`."""
    fit_lines: bool = False
    """Whether lines of several words are chosen, and end, so that they are about as long as the crop that
    lends the style."""
    language: str = AUTO
    """Language of the words, as BCP 47 has it (tr, nl, zh-Hans): it decides how case is written. auto:
    what a bundled word list says of itself, or what the letters of yours give away."""
    case: CaseConfig = field(default_factory=CaseConfig)
    """Letter case of words from bundled word lists."""
    mix_user_case: Literal["auto", "always", "never"] = "auto"
    """Whether words from your own files get mixed case too; auto: if the file holds no capital letter."""
    cut: Share = 0.0
    """Share of words that are cut at one end, as careless crops are, with the label of what is left."""
    fit_share: Share = 0.85
    """Share of samples whose word is about as long as the crop that lends the style. The others take
    the first word drawn, so that every word of a list has its turn; 0 makes all equally likely."""
    fit_draws: Annotated[int, Between(1, 10_000)] = 24
    """How many words are drawn, at most, to find one that is about as long."""

    def __post_init__(self) -> None:
        check_settings(self)
        if not is_language(self.language):
            raise ConfigError(
                f"language must be a code such as tr or zh-Hans, or auto, found {self.language!r}."
            )

    @property
    def longest(self) -> int:
        """The most characters of a label, and so of a line of a file: what `words` words take."""
        most = self.words[1]
        return self.max_length if most == 1 else min(most * (self.max_length + 1), 1000)


@dataclass(frozen=True, slots=True)
class DrawnText:
    """A label, and the name of the corpus or pattern it came from."""

    text: str
    corpus: str


class _Source(Protocol):
    name: str

    def draw(self, rng: np.random.Generator, case: float | None = None) -> str: ...

    def in_case(self, case: CaseConfig) -> "_Source": ...

    def characters(self) -> frozenset[str]: ...

    def fingerprint(self) -> str: ...

    @property
    def watched(self) -> WatchedFile | None: ...


class _Words:
    """A corpus, with the case mixing that applies to it."""

    def __init__(self, corpus: Corpus, case: CaseConfig | None, max_length: int, language: str) -> None:
        self.name = corpus.name
        self.respaced = corpus.respaced
        self._corpus = corpus
        self._case = case
        self._max_length = max_length
        self._language = language

    def draw(self, rng: np.random.Generator, case: float | None = None) -> str:
        word = self._corpus.draw(rng)
        if self._case is None:
            return word
        cased = set_case(word, self._case, rng.random() if case is None else case, self._language)
        # "ß" becomes two letters.
        return cased if len(cased) <= max(len(word), self._max_length) else word

    def in_case(self, case: CaseConfig) -> "_Words":
        """Return the same words in other cases, if they get any."""
        if self._case is None:
            return self
        return _Words(self._corpus, case, self._max_length, self._language)

    def characters(self) -> frozenset[str]:
        found = self._corpus.characters()
        if self._case is None:
            return found
        return found.union(*(cased_characters(character, self._language) for character in found))

    def fingerprint(self) -> str:
        return f"{self._corpus.watched.sha256} {self._max_length} {self._case} {self._language}"

    @property
    def watched(self) -> WatchedFile:
        return self._corpus.watched


class _Generated:
    """A pattern, held to the maximum length."""

    def __init__(self, name: str, pattern: Pattern, max_length: int) -> None:
        self.name = name
        self._pattern = pattern
        self._max_length = max_length
        rng = sample_rng(0, "pattern", name)
        probes = [pattern(rng) for _ in range(_PROBES)]
        self._fitting = [text for text in probes if len(text) <= max_length]

    @property
    def fits(self) -> bool:
        """Whether enough of what the pattern makes is short enough."""
        return len(self._fitting) >= _FEWEST_FITTING

    def draw(self, rng: np.random.Generator, case: float | None = None) -> str:
        for _ in range(_ATTEMPTS):
            text = self._pattern(rng)
            if len(text) <= self._max_length:
                return text
        return self._fitting[int(rng.integers(len(self._fitting)))]

    def in_case(self, case: CaseConfig) -> "_Generated":
        """Return itself: patterns have a case of their own."""
        return self

    def characters(self) -> frozenset[str]:
        return frozenset().union(*self._fitting)

    def fingerprint(self) -> str:
        return hashlib.sha256("\n".join(self._fitting).encode()).hexdigest()

    @property
    def watched(self) -> None:
        return None


class CorpusMixture:
    """Draws labels from several corpora and patterns, each with a weight.

    `skipped` counts what the corpora left out, `respaced` labels with other spaces than their lines.
    """

    def __init__(
        self,
        sources: Sequence[_Source],
        weights: Sequence[float],
        skipped: Tally,
        specs: Sequence[str],
        config: TextConfig,
    ) -> None:
        self.skipped = skipped
        self.respaced = Tally()
        for source in sources:
            if isinstance(source, _Words):
                self.respaced.merge(source.respaced)
        self._sources = tuple(sources)
        self._weights = tuple(weights)
        self._bounds = list(itertools.accumulate(weights))
        self.specs = tuple(specs)
        """What each source is opened by: a name or a file."""
        self._words = config.words
        self._cut = config.cut
        self._fit_lines = config.fit_lines
        self._longest = config.longest

    @classmethod
    def open(cls, specs: Names = DEFAULT, config: TextConfig | None = None) -> "CorpusMixture":
        """Open every spec: a bundled corpus, a file, a pattern, or "default", each with ":WEIGHT" or not.

        A file whose name ends in ".patterns" holds patterns (`pattern_file`), any other one words.

        A pattern of the default mixture that cannot be as short as `max_length` is left out
        and counted.

        Raises:
            CorpusError: a spec names nothing, a weight is not positive, a file cannot be used,
                or a pattern asked for by name cannot be as short as `max_length`.
        """
        config = config or TextConfig()
        given = tuple(map(str, several(specs)))
        if not given:
            raise CorpusError("No corpus given. Name a corpus, a file or 'default'.")
        skipped = Tally()
        found: dict[tuple[str, str], tuple[_Source, float]] = {}
        named: dict[tuple[str, str], str] = {}
        for spec in given:
            name, weight = _split_weight(spec)
            expanded = (
                _default_weights(base_language(config.language))
                if name == DEFAULT and not own_file(DEFAULT)
                else {name: 1.0}
            )
            for part, share in expanded.items():
                source = _open_source(part, config, skipped, optional=part != name)
                if source is None:
                    continue
                key = (source.name, source.fingerprint())
                before = found[key][1] if key in found else 0.0
                found[key] = (source, before + weight * share)
                named.setdefault(key, part)
        if not found:
            raise CorpusError(f"No text of at most {config.longest} characters in {', '.join(given)}.")
        sources, weights = zip(*found.values(), strict=True)
        return cls(sources, weights, skipped, list(named.values()), config)

    def weighed(self, weights: Mapping[str, float], config: TextConfig) -> "CorpusMixture":
        """Return a mixture of the same sources with other weights, by spec, and what else `config` says.

        Nothing is opened again: the greatest lengths and the language stay what they were. Sources without
        a weight are left out.

        Raises:
            CorpusError: no source is left.
        """
        kept = [
            (source.in_case(config.case), spec)
            for source, spec in zip(self._sources, self.specs, strict=True)
            if weights.get(spec, 0.0) > 0
        ]
        if not kept:
            raise CorpusError("No corpus is left: all weights are 0.")
        sources, specs = zip(*kept, strict=True)
        return CorpusMixture(sources, [weights[spec] for spec in specs], self.skipped, specs, config)

    @property
    def names(self) -> tuple[str, ...]:
        """The corpora and patterns, in the order they were given."""
        return tuple(source.name for source in self._sources)

    @property
    def kinds(self) -> tuple[str, ...]:
        """What each source holds: all lists "words", a pattern or a file of patterns its own kind."""
        return tuple(WORDS if isinstance(source, _Words) else source.name for source in self._sources)

    @property
    def mixes_case(self) -> bool:
        """Whether the letter case of any source is drawn."""
        return any(source.in_case(CaseConfig()) is not source for source in self._sources)

    def language(self, asked: str) -> str:
        """Return the language that was asked for; where that is auto, what all word lists say they are."""
        entries = [bundled_corpus(name) for name in self.names]
        found = {entry.language for entry in entries if entry is not None}
        return found.pop() if asked == AUTO and len(found) == 1 else asked

    @property
    def weights(self) -> tuple[float, ...]:
        """The share of each name, adding up to 1."""
        return tuple(weight / self._bounds[-1] for weight in self._weights)

    def draw(self, rng: np.random.Generator) -> DrawnText:
        """Return a label and where it came from: a pure function of the generator's state."""
        source = self._choose(rng)
        if self.draws_lines:
            return DrawnText(self._maybe_cut(self._line(source, rng), rng), source.name)
        return DrawnText(self._maybe_cut(source.draw(rng), rng), source.name)

    def _maybe_cut(self, text: str, rng: np.random.Generator) -> str:
        # Nothing is drawn where nothing is cut: the words of other settings stay what they are.
        return cut_at_an_end(text, rng) if self._cut and rng.random() < self._cut else text

    @property
    def draws_lines(self) -> bool:
        """Whether labels may hold several words of the lists."""
        return self._words != (1, 1)

    def _line(self, source: _Source, rng: np.random.Generator) -> str:
        """Return words of `source` and of those beside it, all in one letter case."""
        low, high = self._words
        count, case = int(rng.integers(low, high + 1)), rng.random()
        sources = [source, *(self._choose(rng) for _ in range(count - 1))]
        words = [source.draw(rng, case) for source in sources]
        while len(words) > 1 and length(joined(words)) > self._longest:
            words.pop()  # a line of a file may be as long as all of them
        return joined(words)

    def draw_fitting(
        self, rng: np.random.Generator, misfit: Callable[[str], float], enough: float, draws: int
    ) -> DrawnText:
        """Return the first label whose `misfit` is at most `enough`, or the best of as many `draws`.

        Lines of several words are as long as was asked, or end where the next word would fit worse. All
        draws of a word, or of a line's first word, come from one source, so the weights of the sources hold.
        """
        if self.draws_lines and not self._fit_lines:
            return self.draw(rng)
        source = self._choose(rng)
        best, least = "", math.inf
        for _ in range(draws):
            # A phrase of a file may be longer than the crop before a second one is there.
            text = self._fitting_line(source, rng, misfit) if self.draws_lines else source.draw(rng)
            text = self._maybe_cut(text, rng)
            if (found := misfit(text)) < least:
                best, least = text, found
            if least <= enough:
                break
        return DrawnText(best, source.name)

    def _fitting_line(self, source: _Source, rng: np.random.Generator, misfit: Callable[[str], float]) -> str:
        case = rng.random()
        low, high = self._words
        words = [source.draw(rng, case)]
        while len(words) < high:
            longer = [*words, self._choose(rng).draw(rng, case)]
            too_long = length(joined(longer)) > self._longest
            if too_long or (len(words) >= low and misfit(joined(longer)) >= misfit(joined(words))):
                break
            words = longer
        return joined(words)

    def _choose(self, rng: np.random.Generator) -> _Source:
        chosen = bisect.bisect_right(self._bounds, rng.random() * self._bounds[-1])
        return self._sources[min(chosen, len(self._sources) - 1)]

    def characters(self) -> frozenset[str]:
        """Return the characters labels can hold (of patterns: those of a fixed sample of them)."""
        return frozenset().union(*(source.characters() for source in self._sources))

    @property
    def watched(self) -> tuple[WatchedFile, ...]:
        """The files that words are read from."""
        return tuple(source.watched for source in self._sources if source.watched is not None)

    def fingerprint(self) -> str:
        """Return a short hash of the words, their case mixing, the names and the weights."""
        digest = hashlib.sha256()
        for source, weight in zip(self._sources, self.weights, strict=True):
            digest.update(f"{source.name}\n{source.fingerprint()}\n{weight:.9f}\n".encode())
        return digest.hexdigest()[:16]


def has_weight(spec: str) -> bool:
    """Tell whether a spec says how often its source comes."""
    return _split_weight(spec)[0] != spec


def _split_weight(spec: str) -> tuple[str, float]:
    name, separator, suffix = spec.rpartition(":")
    if not separator or not name or own_file(spec):
        return spec, 1.0
    try:
        weight = float(suffix)
    except ValueError:
        return spec, 1.0
    if not is_weight(weight):
        raise CorpusError(
            f"Corpus '{spec}': the weight after ':' must be above 0, up to {HEAVIEST:g}, found {suffix}."
        )
    return name, weight


def _default_weights(language: str) -> dict[str, float]:
    """Return what the default mixture holds: of another language than English, its word lists."""
    catalogue = bundled_catalogue()
    if language not in (AUTO, "en"):
        lists = [entry for entry in catalogue.corpora.values() if entry.language == language]
        if not lists:
            known = sorted({entry.language for entry in catalogue.corpora.values()} - {"", "mul"})
            raise CorpusError(
                f"No word list of language '{language}' is in the box, which has {', '.join(known)}. Name a "
                "file of its words."
            )
        return {entry.name: 1.0 for entry in lists}
    shares = {entry.name: entry.weight for entry in catalogue.corpora.values()} | catalogue.pattern_weights
    shares = {name: share for name, share in shares.items() if share > 0}
    if not shares:
        raise CorpusError("The bundled corpora are missing. Reinstall siman-synth, or name a file of words.")
    return shares


def _open_source(name: str, config: TextConfig, skipped: Tally, *, optional: bool) -> _Source | None:
    own, bundled = own_file(name), bundled_corpus(name)
    if own is None and bundled is None:
        return _open_pattern(name, config, skipped, optional=optional)
    if own is not None and own.name.endswith(SUFFIX):
        patterns = PatternFile.open(own, config.max_length)
        for one in patterns.left_out:
            skipped.add(f"pattern never as short as {config.max_length} characters", one.template.source)
        return patterns
    corpus = Corpus.open(name, config.longest)
    skipped.merge(corpus.skipped)
    mixed = bundled.mix_case if own is None and bundled is not None else _mixes_case(corpus, config)
    own_language = bundled.language if own is None and bundled is not None else ""
    language = _language(config.language, own_language, corpus.characters())
    return _Words(corpus, config.case if mixed else None, config.max_length, language)


def _open_pattern(name: str, config: TextConfig, skipped: Tally, *, optional: bool) -> _Source | None:
    if name not in PATTERNS:
        if own_path(name):
            Corpus.open(name)  # says that it is a folder
        known = sorted({*bundled_catalogue().corpora, *PATTERNS, DEFAULT})
        raise CorpusError(
            f"No corpus '{name}': it is neither a file nor one of {', '.join(known)}."
            f"{one_name(name) or did_you_mean(name, known)}"
        )
    source = _Generated(name, PATTERNS[name], config.max_length)
    if source.fits:
        return source
    if optional:
        skipped.add(f"pattern never as short as {config.max_length} characters", name)
        return None
    raise CorpusError(
        f"Pattern '{name}' makes nothing of at most {config.max_length} characters. "
        f"Raise text.max_length (patterns need up to {LONGEST}) or drop the pattern."
    )


def _language(asked: str, own: str, characters: frozenset[str]) -> str:
    """Return the language of a list's case: what it says itself, what was asked, what its letters say."""
    if own not in ("", "mul"):
        return base_language(own)
    return base_language(asked) if asked != AUTO else language_of(characters)


def _mixes_case(corpus: Corpus, config: TextConfig) -> bool:
    """Tell whether a user's words get other cases: one who wrote capitals wrote them where they belong."""
    if config.mix_user_case == "auto":
        return not any(character.isupper() for character in corpus.characters())
    return config.mix_user_case == "always"
