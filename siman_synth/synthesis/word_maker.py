"""The one way to make a word: render what was planned, paint it, finish it, judge it."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from siman_synth.imaging.codec import decode
from siman_synth.render.boxes import Box
from siman_synth.render.vertical import ACROSS
from siman_synth.render.word import ContentImage, ContentPlan, WordRenderer
from siman_synth.synthesis.config import FinishConfig
from siman_synth.synthesis.finish import degrade, encode
from siman_synth.synthesis.gate import BLANK, Candidate, QualityGate, is_blank
from siman_synth.synthesis.painter import Painter, blended
from siman_synth.synthesis.plan import FinishPlan
from siman_synth.synthesis.style import Style


@dataclass(frozen=True, slots=True)
class WordPlan:
    """All that decides one word."""

    content: ContentPlan
    """Text, font, layout and framing."""
    style: Style
    """The crop that lends its style."""
    finish: FinishPlan | None = None
    """Noise and encoding; None for neither."""
    may_be_hard: bool = False
    """Whether OCR need not read it."""
    other_style: Style | None = None
    """A second crop, if the word is painted between the looks of two."""
    style_share: float = 0.0
    """How far its look is from the first crop's to the second's."""

    @property
    def sharpness(self) -> float:
        """How sharp the crop is, or what lies between two crops."""
        if self.other_style is None:
            return self.style.sharpness
        share = self.style_share
        return (1 - share) * self.style.sharpness + share * self.other_style.sharpness


@dataclass(frozen=True, slots=True)
class Draft:
    """A word that is rendered and waits for the network."""

    plan: WordPlan
    content: ContentImage


@dataclass(frozen=True, slots=True)
class Word:
    """A synthesized word."""

    image: np.ndarray
    """uint8 (H, W, 3), RGB, as a reader of `encoded` sees it."""
    label: str
    """What it says, NFC."""
    boxes: tuple[Box, ...]
    """One box a character, in pixels."""
    plan: ContentPlan
    """Font, layout and framing."""
    encoded: bytes | None = None
    """JPEG or PNG, if the plan asked for it."""
    problem: str | None = None
    """Why the quality gate rejects it, if it does."""


class WordMaker:
    """Makes planned words.

    Args:
        renderer: draws content.
        painter: the network.
        finish: how pictures are degraded and stored.
        gate: judges words; None lets all of them pass.
    """

    def __init__(
        self, renderer: WordRenderer, painter: Painter, finish: FinishConfig, gate: QualityGate | None = None
    ) -> None:
        self._renderer = renderer
        self._painter = painter
        self._finish = finish
        self._gate = gate

    def draft(self, plan: WordPlan) -> Draft:
        """Render a plan.

        Raises:
            FontError: its font cannot draw it; `RenderError` says why.
        """
        return Draft(plan, self._renderer.render(plan.content))

    def make(self, drafts: Sequence[Draft]) -> list[Word]:
        """Paint, finish and judge drafts; together they take far less time than one by one."""
        painted = self._painted(drafts)
        finished = [self._finished(draft, image) for draft, image in zip(drafts, painted, strict=True)]
        lying = [
            np.rot90(image) if self._stands(draft) else image
            for draft, (image, _) in zip(drafts, finished, strict=True)
        ]
        judged = self._problems(drafts, lying)
        # Before noise, which would hide it, and whatever the gate is told to let pass.
        problems = [
            BLANK if is_blank(image) else problem for image, problem in zip(painted, judged, strict=True)
        ]
        return [
            Word(image, draft.plan.content.text, self._boxes(draft), draft.plan.content, encoded, problem)
            for draft, (image, encoded), problem in zip(drafts, finished, problems, strict=True)
        ]

    def _painted(self, drafts: Sequence[Draft]) -> list[np.ndarray]:
        """Return the network's pictures: of words in one style, and of those between two."""
        images: dict[int, np.ndarray] = {}
        plain = [i for i, draft in enumerate(drafts) if draft.plan.other_style is None]
        masks = [draft.content.mask for draft in drafts]
        styles = [drafts[i].plan.style for i in plain]
        images.update(zip(plain, self._painter.restyle([masks[i] for i in plain], styles), strict=True))
        mixed = [i for i in range(len(drafts)) if i not in images]
        if mixed:
            ends = []
            for one in ([drafts[i].plan.style for i in mixed], [drafts[i].plan.other_style for i in mixed]):
                codes = self._painter.encode_style([style for style in one if style is not None])
                ends.append(self._painter.align([masks[i] for i in mixed], codes))
            shares = [drafts[i].plan.style_share for i in mixed]
            between = [blended(a, b, share) for a, b, share in zip(*ends, shares, strict=True)]
            images.update(zip(mixed, self._painter.decode(between), strict=True))
        return [images[i] for i in range(len(drafts))]

    def _finished(self, draft: Draft, painted: np.ndarray) -> tuple[np.ndarray, bytes | None]:
        """Return the picture as it will be seen, and as it is stored."""
        plan = draft.plan
        image = degrade(painted, plan.finish, plan.sharpness, self._finish)
        if self._stands(draft):
            image = np.ascontiguousarray(np.rot90(image, -1))
        if plan.finish is None:
            return image, None
        encoded = encode(image, plan.finish, self._finish)
        return decode(encoded), encoded

    def _stands(self, draft: Draft) -> bool:
        """Whether a word runs downwards in its picture; the network painted it lying on its side."""
        return draft.plan.content.writing != ACROSS and self._finish.vertical_image == "upright"

    def _boxes(self, draft: Draft) -> tuple[Box, ...]:
        boxes, height = draft.content.boxes, draft.content.mask.shape[0]
        return tuple(box.turned_right(height) for box in boxes) if self._stands(draft) else boxes

    def _problems(self, drafts: Sequence[Draft], images: Sequence[np.ndarray]) -> list[str | None]:
        if self._gate is None or self._gate.passes_all:
            return [None] * len(drafts)
        return self._gate.judge(
            [
                Candidate(
                    np.ascontiguousarray(image),
                    draft.content,
                    draft.plan.content.text,
                    draft.plan.may_be_hard,
                )
                for draft, image in zip(drafts, images, strict=True)
            ]
        )
