"""siman-synth: labeled word images in styles borrowed from your own unlabeled crops.

The public names are loaded when they are first used, so that importing the package, and
`siman-synth --help`, cost no import of torch.
"""

import importlib
from typing import TYPE_CHECKING, Any

__version__ = "0.2.0"

_PUBLIC = {
    "Corpus": "text.corpus",
    "CorpusMixture": "text.mixture",
    "CropPool": "crops.pool",
    "EditResult": "editing.editor",
    "FontLibrary": "render.fonts",
    "GenerateConfig": "synthesis.config",
    "Job": "runs.job",
    "LabeledSet": "storage.labeled_set",
    "LmdbReader": "storage.lmdb_reader",
    "LmdbWriter": "storage.lmdb_writer",
    "PretrainConfig": "pretraining.config",
    "Recognizer": "recognition.recognizer",
    "RecognizerTrainingConfig": "recognizer_training.config",
    "SimanError": "errors",
    "StreamingWords": "runs.streaming",
    "Style": "synthesis.style",
    "StyleBank": "synthesis.style_bank",
    "Synthesizer": "synthesis.synthesizer",
    "TextEditor": "editing.editor",
    "TrainingSet": "recognizer_training.run",
    "TrainingStream": "recognizer_training.run",
    "WordRenderer": "render.word",
    "evaluate": "evaluation.pipeline",
    "export": "exports.run",
    "fit": "fitting.run",
    "generate": "runs.generate",
    "load_encoder": "recognition.encoders",
    "load_recognizer": "recognition.weights",
    "pretrain": "pretraining.run",
    "read_words": "wording.reading",
    "train_recognizer": "recognizer_training.run",
}

__all__ = [
    "Corpus",
    "CorpusMixture",
    "CropPool",
    "EditResult",
    "FontLibrary",
    "GenerateConfig",
    "Job",
    "LabeledSet",
    "LmdbReader",
    "LmdbWriter",
    "PretrainConfig",
    "Recognizer",
    "RecognizerTrainingConfig",
    "SimanError",
    "StreamingWords",
    "Style",
    "StyleBank",
    "Synthesizer",
    "TextEditor",
    "TrainingSet",
    "TrainingStream",
    "WordRenderer",
    "evaluate",
    "export",
    "fit",
    "generate",
    "load_encoder",
    "load_recognizer",
    "pretrain",
    "read_words",
    "train_recognizer",
]

if TYPE_CHECKING:
    from siman_synth.crops.pool import CropPool
    from siman_synth.editing.editor import EditResult, TextEditor
    from siman_synth.errors import SimanError
    from siman_synth.evaluation.pipeline import evaluate
    from siman_synth.exports.run import export
    from siman_synth.fitting.run import fit
    from siman_synth.pretraining.config import PretrainConfig
    from siman_synth.pretraining.run import pretrain
    from siman_synth.recognition.encoders import load_encoder
    from siman_synth.recognition.recognizer import Recognizer
    from siman_synth.recognition.weights import load_recognizer
    from siman_synth.recognizer_training.config import RecognizerTrainingConfig
    from siman_synth.recognizer_training.run import TrainingSet, TrainingStream, train_recognizer
    from siman_synth.render.fonts import FontLibrary
    from siman_synth.render.word import WordRenderer
    from siman_synth.runs.generate import generate
    from siman_synth.runs.job import Job
    from siman_synth.runs.streaming import StreamingWords
    from siman_synth.storage.labeled_set import LabeledSet
    from siman_synth.storage.lmdb_reader import LmdbReader
    from siman_synth.storage.lmdb_writer import LmdbWriter
    from siman_synth.synthesis.config import GenerateConfig
    from siman_synth.synthesis.style import Style
    from siman_synth.synthesis.style_bank import StyleBank
    from siman_synth.synthesis.synthesizer import Synthesizer
    from siman_synth.text.corpus import Corpus
    from siman_synth.text.mixture import CorpusMixture
    from siman_synth.wording.reading import read_words


def __getattr__(name: str) -> Any:
    if name not in _PUBLIC:
        raise AttributeError(f"module 'siman_synth' has no attribute '{name}'")
    value = getattr(importlib.import_module(f"siman_synth.{_PUBLIC[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted([*globals(), *_PUBLIC])
