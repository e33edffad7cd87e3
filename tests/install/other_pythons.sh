#!/usr/bin/env bash
# The fast tests under the newest Python that pyproject.toml names and this machine has; with
# PYTHONS=all under every one but that of "make test". One after the other, each in an environment that
# is removed again: torch's is several GB large and takes minutes to install.
set -euo pipefail
cd "$(dirname "$0")/../.."
own=$("${BIN:-.venv/bin}/python" -c 'import sys; print("%d.%d" % sys.version_info[:2])')
versions=$(sed -n 's/.*Programming Language :: Python :: \(3\.[0-9]*\)".*/\1/p' pyproject.toml | tac)

# Print an interpreter of this version, on the path or one that pyenv keeps beside it.
interpreter() {
    for candidate in "python$1" "${PYENV_ROOT:-$HOME/.pyenv}"/versions/"$1".*/bin/python; do
        if command -v "$candidate" >/dev/null && "$candidate" -c '' 2>/dev/null; then
            echo "$candidate"
            return
        fi
    done
}

for version in $versions; do
    [ "$version" != "$own" ] || continue
    python=$(interpreter "$version")
    if [ -z "$python" ]; then
        echo "Python $version: not on this machine, not tested"
        continue
    fi
    venv=$(mktemp -d)
    trap 'rm -rf "$venv"' EXIT
    echo "Python $version: install"
    "$python" -m venv "$venv"
    "$venv/bin/pip" install -q --no-cache-dir -c constraints.txt torch
    "$venv/bin/pip" install -q --no-cache-dir -c constraints.txt -e ".[dev,evaluate]"
    echo "Python $version: fast tests"
    "$venv/bin/python" -m pytest -n 2 -p no:cacheprovider
    rm -rf "$venv"
    [ "${PYTHONS:-newest}" = all ] || break
done
