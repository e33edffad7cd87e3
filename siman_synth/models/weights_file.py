"""Safetensors files with a network's shape and history as metadata, whatever the network.

Nothing in one is executed on loading (no pickle), and nothing that it describes is built before its
header was compared with the description.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Generic, TypeVar

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import nn

from siman_synth.errors import WeightsError
from siman_synth.escaping import shortened_repr
from siman_synth.files import utf8_name, write_bytes
from siman_synth.models.skeleton import as_started, skeletons
from siman_synth.suggestions import did_you_mean

_MOST_HEADER_BYTES = 1 << 20
"""Ours have 20,000. The library would parse a header of 100 MB."""
_KINDS = {torch.float32: "F32", torch.int64: "I64"}
"""The types that our networks have, by their names in the file. Others would be converted in silence."""
_SHOWN = 60

Network = TypeVar("Network", bound=nn.Module)


@dataclass(frozen=True, slots=True)
class WeightsFormat(Generic[Network]):
    """One kind of weights file.

    Args:
        name: what its metadata say under "format".
        version: what they say under "format_version".
        made_by: the command that writes such files, for messages.
        otherwise: what else a message may advise when there is no file.
        names: names that stand for files that ship, for who mistyped one.
        build: makes the network from the JSON texts in the metadata. What it raises of KeyError,
            ValueError (also ConfigError) means that the description is wrong.
    """

    name: str
    version: int
    made_by: str
    build: Callable[[Mapping[str, str]], Network]
    otherwise: str = ""
    names: tuple[str, ...] = ()

    def write(
        self, path: Path, network: Network, description: Mapping[str, Any], provenance: Mapping[str, Any]
    ) -> None:
        """Write a file, whole or not at all; `description` and `provenance` are plain values."""
        tensors = {name: tensor.detach().cpu().contiguous() for name, tensor in network.state_dict().items()}
        metadata = {
            "format": self.name,
            "format_version": str(self.version),
            **{key: json.dumps(value, sort_keys=True) for key, value in description.items()},
            "provenance": json.dumps(dict(provenance), sort_keys=True),
        }
        write_bytes(path, save(tensors, metadata))

    def read(self, path: Path) -> tuple[Network, Mapping[str, Any]]:
        """Return the network, on the CPU in evaluation mode, and its provenance.

        The names, shapes and types that the file states are compared with the network that it
        describes before any of it is built, and every number must be finite.

        Raises:
            WeightsError: the file is missing, damaged, of another format or version.
        """
        if not path.is_file():
            hint = did_you_mean(path.name, self.names) if path.name == str(path) else ""
            raise WeightsError(
                f"No weights file {path}.{hint} Train one with `{self.made_by}`{self.otherwise}."
            )
        _check_header_length(path)
        try:
            with utf8_name(path) as name, safe_open(name, framework="pt") as file:
                metadata = file.metadata() or {}
                self._check_format(path, metadata)
                with skeletons():
                    wanted = self._described(path, metadata).state_dict()
                if misfit := _first_misfit(file, wanted):
                    raise _unlike_description(path, misfit)
                tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
        except SafetensorError as error:
            raise WeightsError(
                f"Weights file {path} is damaged or not safetensors ({error}). "
                "Copy it again or export it anew."
            ) from error
        for name, tensor in tensors.items():
            if tensor.is_floating_point() and not bool(torch.isfinite(tensor).all()):
                raise WeightsError(
                    f"Weights file {path} holds values that are not finite, in '{name}'. "
                    "Copy it again or export it anew."
                )
        with as_started():
            network = self._described(path, metadata)
        network.load_state_dict(tensors, assign=True)
        network.eval().requires_grad_(False)
        return network, _provenance(path, metadata)

    def _described(self, path: Path, metadata: Mapping[str, str]) -> Network:
        try:
            return self.build(metadata)
        except (KeyError, ValueError, RecursionError) as error:
            raise _unlike_description(path, f"{type(error).__name__}, {error}") from error

    def _check_format(self, path: Path, metadata: Mapping[str, str]) -> None:
        found = metadata.get("format", "not stated")
        if found != self.name:
            fault = (
                f"holds a {found}, and a {self.name} is needed"
                if found.startswith("siman-synth ")
                else f"was not written by siman-synth (its format is '{found}')"
            )
            raise WeightsError(f"Weights file {path} {fault}. Pass a file exported by `{self.made_by}`.")
        version = metadata.get("format_version")
        if version != str(self.version):
            raise WeightsError(
                f"Weights file {path} has format version {version}; this siman-synth reads version "
                f"{self.version}. Install the version that wrote it, or export the weights again."
            )


def _provenance(path: Path, metadata: Mapping[str, str]) -> Mapping[str, Any]:
    text = metadata.get("provenance", "{}")
    try:
        values = json.loads(text)
    except (ValueError, RecursionError):
        values = None
    if not isinstance(values, dict):
        raise WeightsError(
            f"Weights file {path} is damaged: its provenance must be a JSON object, found "
            f"{shortened_repr(text, 40)}. Copy it again or export it anew."
        )
    return values


def _check_header_length(path: Path) -> None:
    with path.open("rb") as file:
        length = int.from_bytes(file.read(8), "little")
    if length > _MOST_HEADER_BYTES:
        raise WeightsError(
            f"Weights file {path} is damaged or not safetensors (a header of {length} bytes). "
            "Copy it again or export it anew."
        )


def _first_misfit(file: Any, wanted: Mapping[str, torch.Tensor]) -> str | None:
    """Return how the tensors of a file differ from those wanted, by its header alone."""
    found = set(file.keys())
    if missing := wanted.keys() - found:
        return f"{len(missing)} tensors are missing, '{min(missing)}' among them"
    if surplus := found - wanted.keys():
        return f"{len(surplus)} tensors are no part of it, '{min(surplus)[:_SHOWN]}' among them"
    for name, tensor in wanted.items():
        stored = file.get_slice(name)
        shape, kind = list(stored.get_shape()), stored.get_dtype()
        if shape != list(tensor.shape):
            return f"'{name}' has the shape {str(shape)[:_SHOWN]} instead of {list(tensor.shape)}"
        if kind != _KINDS[tensor.dtype]:
            return f"'{name}' is {kind} instead of {_KINDS[tensor.dtype]}"
    return None


def _unlike_description(path: Path, found: str) -> WeightsError:
    text = " ".join(found.split())
    return WeightsError(
        f"Weights file {path} does not hold the network that it describes: "
        f"{text[:200].rstrip('.')}{'…' if len(text) > 200 else ''}. Export it anew."
    )
