"""Which font, and how set, explains the word in a crop."""

from collections.abc import Iterator, Sequence, Set
from dataclasses import dataclass

import cv2
import numpy as np

from siman_synth.editing.fit import Fit, laid_over, refined, shifted
from siman_synth.editing.glance import candidates, glance
from siman_synth.editing.ink import (
    Layers,
    Pixels,
    border_share,
    candidate_masks,
    mask_box,
    separate,
)
from siman_synth.editing.lettering import Lettering, Mask
from siman_synth.editing.looks import FontLooks
from siman_synth.editing.spelling import Spelled, Speller
from siman_synth.editing.target import UPRIGHT, Target
from siman_synth.editing.thumbnails import Thumbnailer, Thumbnails
from siman_synth.render.errors import RenderError
from siman_synth.render.fonts import FontLibrary
from siman_synth.render.shaping import TextLine, shape_line

_PROBES, _PROBES_CLOSE = 6, 3
_CLOSE = 16
_FINALISTS = 6
_SURE = 0.8
"""Likeness from which a word that was spelled by the fonts' letters is taken for the one that is there."""
_FAR_BEHIND = 0.15
"""Ink that is less likely by so much at first sight is not looked at closely."""
_KIND_COSTS = {"display": 0.02, "script": 0.03, "handwriting": 0.03, "slab": 0.01, "mono": 0.02}


@dataclass(frozen=True, slots=True)
class Match:
    """What a crop was found to show."""

    lettering: Lettering
    """Of the old word, in the crop's frame."""
    likeness: float
    """Correlation of its rendering with the crop's ink: 1 for the same, 0 for unlike."""
    layers: Layers
    mask: Pixels
    """(H, W), 1 where its ink is."""
    text: str
    """The old word, or one that looks like it; empty if it is not known."""
    span: tuple[float, float]
    """From where to where, across the frame, the old word reaches."""
    ranking: tuple[tuple[str, float], ...]
    """Fonts and their likeness, best first: those that were compared closely."""

    def rendered(self, fonts: FontLibrary) -> Mask:
        """Return the old word as the font draws it: uint8 (H, W)."""
        return self.lettering.mask(self.lettering.outline(self.text, fonts), *self.mask.shape)


class FontMatcher:
    """Compares crops with what the fonts of a library would make of their words."""

    def __init__(self, fonts: FontLibrary, looks: FontLooks | None = None) -> None:
        self._fonts = fonts
        self._looks = looks
        self._thumbnailer = Thumbnailer(fonts)
        self._speller = Speller(fonts, self._thumbnailer)

    def matches(self, crop: Pixels, text: str, allowed: Set[str], font: str | None = None) -> Iterator[Match]:
        """Yield what a word in a crop, uint8 (H, W, 3), H about 48, may be set in, the likeliest first.

        Then come the best match of the next likeliest ink, and that of the next likeliest family.

        Args:
            crop: the word, level.
            text: what it says; empty if that is not known: then it is spelled by the fonts' own letters, and
                where what comes of that is not like the crop, the font is one with letters like its pieces.
            allowed: ids of fonts that may be found.
            font: id of the font to use whatever matches.

        Raises:
            FontError: there is no such font.
        """
        among = allowed if font is None else {self._fonts.font(font).id}
        if text:
            found = self._of_text(crop, text, among)
            first = next(found, None)
            yield self._by_look(crop, among, None) if first is None else first
            yield from found
            return
        spelled = self._speller.spelled(crop, allowed)
        found = iter(()) if spelled is None else self._of_text(crop, spelled.text, allowed)
        first = next(found, None)
        if spelled is None or first is None or first.likeness < _SURE:
            yield self._by_look(crop, among, spelled)
            return
        if font is None:
            yield first
            yield from found
            return
        found = self._of_text(crop, spelled.text, among)
        yield next(found, None) or self._by_look(crop, among, spelled)
        yield from found

    def _of_text(self, crop: Pixels, text: str, allowed: Set[str]) -> Iterator[Match]:
        """Yield the matches of a text, the likeliest first; none where nothing is like it."""
        names = [one.id for one in self._fonts.covering(text) if one.id in allowed]
        thumbnails = self._thumbnailer.draw(text, names) if names else None
        inks = iter(()) if thumbnails is None else self._inks(crop, text, thumbnails)
        first = next(inks, None)
        fits = [] if first is None or thumbnails is None else self._closest(first, text, thumbnails)
        if first is None or thumbnails is None or not fits:
            return
        yield _matched(first, text, fits, fits[0])
        second = next(inks, None)
        if second is not None and (others := self._closest(second, text, thumbnails)):
            yield _matched(second, text, others, others[0])
        family = self._fonts.font(fits[0].font).family
        other = next((fit for fit in fits if self._fonts.font(fit.font).family != family), None)
        if other is not None:
            yield _matched(first, text, fits, refined(other, first.target))

    def _inks(self, crop: Pixels, text: str, thumbnails: Thumbnails) -> Iterator["_Ink"]:
        """Yield what may be the word's ink, most like the word in a few fonts first."""
        probes = thumbnails.some(_PROBES)
        lines = {name: self._line(text, name) for name in probes.names}
        found: list[tuple[float, Pixels]] = []
        for candidate in candidates(crop, probes):
            if found and candidate.merit + _FAR_BEHIND < max(merit for merit, _ in found):
                break
            target = Target.of(candidate.mask.astype(np.float32))
            likely = np.argsort(-candidate.likeness, kind="stable")[:_PROBES_CLOSE].tolist()
            fits = [
                laid_over(name, line, target, UPRIGHT).likeness
                for name in (probes.names[number] for number in likely)
                if target is not None and (line := lines[name]) is not None
            ]
            if fits:
                found.append((max(fits) - candidate.cost, candidate.mask))
        for _, mask in sorted(found, key=lambda one: -one[0]):
            layers = separate(crop, mask)
            target = Target.of(layers.alpha * cv2.dilate(mask, np.ones((3, 3), np.uint8)))
            if target is not None:
                yield _Ink(mask, layers, target)

    def _closest(self, ink: "_Ink", text: str, thumbnails: Thumbnails) -> list[Fit]:
        """Compare the ink with the word in each font, closely with those that look alike; best first."""
        costs = [_KIND_COSTS.get(self._fonts.font(name).kind, 0.0) for name in thumbnails.names]
        likeness, posed = glance(ink.target, ink.mask, thumbnails)
        fits: list[Fit] = []
        for number in np.argsort(costs - likeness, kind="stable").tolist():
            name = thumbnails.names[number]
            line = self._line(text, name)
            if line is not None:
                fits.append(laid_over(name, line, ink.target, posed[number], costs[number]))
            if len(fits) == _CLOSE:
                break
        if not fits:
            return []
        best, *others = sorted(fits, key=lambda fit: -fit.likeness)
        found = [refined(best, ink.target)]
        # Where one font had to be moved to, the others belong, too.
        others = [shifted(fit, ink.target, found[0].shift) for fit in others]
        others.sort(key=lambda fit: -fit.likeness)
        for fit in others[:_FINALISTS]:
            found.append(refined(fit, ink.target, max(one.likeness for one in found)))
        return sorted(found + others[_FINALISTS:], key=lambda fit: -fit.likeness)

    def _line(self, text: str, name: str) -> TextLine | None:
        """Shape a word; None where the font cannot draw it."""
        font = self._fonts.font(name)
        try:
            line = shape_line(text, self._fonts.face(font), font.family)
        except RenderError:
            return None
        return line if len(line.points) else None

    def _by_look(self, crop: Pixels, allowed: Set[str], spelled: Spelled | None) -> Match:
        """Without a word: the height of the ink is that of capitals.

        The font is the one whose letters are most like the ink's pieces. Where there are none, ink is what
        seldom touches the edges, and the font the one whose strokes look most alike to the network.
        """
        mask = _least_at_edges(crop) if spelled is None else spelled.mask
        layers = separate(crop, mask)
        x0, y0, x1, y1 = mask_box(mask) or (0.0, 0.0, float(crop.shape[1]), float(crop.shape[0]))
        ranking = [] if spelled is None else [name for name in spelled.ranking if name in allowed]
        names = sorted(allowed)
        if not ranking:
            ranking = names if self._looks is None else self._looks.ranking(layers.alpha * mask, names)
        name = ranking[0]
        metrics = self._fonts.face(self._fonts.font(name)).metrics
        scale = (y1 - y0) / metrics.top
        matrix = np.array([[scale, 0, x0], [0, -scale, y1], [0, 0, 1]])
        return Match(
            Lettering(name, matrix),
            0.0,
            layers,
            mask,
            "",
            (x0, x1),
            tuple((one, 0.0) for one in ranking[:_FINALISTS]),
        )


def _least_at_edges(crop: Pixels) -> Pixels:
    masks = [mask for cost, mask in candidate_masks(crop) if cost == 0 and mask_box(mask)]
    return min(masks, key=border_share) if masks else np.ones(crop.shape[:2], np.uint8)


@dataclass(frozen=True, slots=True)
class _Ink:
    """What may be the word's ink in a crop."""

    mask: Pixels
    layers: Layers
    target: Target


def _matched(ink: _Ink, text: str, fits: Sequence[Fit], found: Fit) -> Match:
    outline, matrix = found.outline, found.lettering.matrix
    across = outline.points @ matrix[0, :2] + matrix[0, 2]
    span = float(across.min()), float(across.max())
    ranking = tuple((fit.font, round(fit.likeness, 4)) for fit in fits)
    return Match(found.lettering, found.likeness, ink.layers, ink.mask, text, span, ranking)
