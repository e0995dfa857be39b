"""Where the servers' programs are: in their wheels, else on PATH."""

from __future__ import annotations

import shutil
from importlib.util import find_spec
from pathlib import Path

from mediaplatform.errors import ConfigurationError


def find(program: str, *, package: str, folder: str, install: str) -> Path:
    """Raises ConfigurationError that says what to install."""
    spec = find_spec(package)
    for location in (spec.submodule_search_locations or ()) if spec else ():
        path = Path(location) / folder / program
        if path.exists():
            return path
    found = shutil.which(program)
    if found is None:
        raise ConfigurationError(f"{program} is neither in a wheel nor on PATH: install {install}")
    return Path(found)
