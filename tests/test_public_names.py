"""The names that README and docs import from the package are there, and cost nothing until used."""

import subprocess
import sys

import pytest

import siman_synth


@pytest.mark.parametrize("name", siman_synth.__all__)
def test_public_name_is_what_it_says(name: str) -> None:
    assert getattr(siman_synth, name).__name__ == name


def test_unknown_names_fail_as_usual() -> None:
    with pytest.raises(AttributeError, match="no attribute 'Nonsense'"):
        _ = siman_synth.Nonsense


def test_importing_the_package_does_not_import_torch() -> None:
    code = "import sys, siman_synth; assert 'torch' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)
