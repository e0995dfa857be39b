"""Where the servers' programs are: in their wheels, else on PATH."""

from __future__ import annotations

import shutil
from importlib.util import find_spec
from pathlib import Path

from mediaplatform.errors import ConfigurationError


def find(
    program: str, *, package: str, folder: str, install: str, instead: tuple[str, ...] = ()
) -> Path:
    """`instead` are others that do as well, on PATH.

    Raises ConfigurationError that says what to install.
    """
    spec = find_spec(package)
    for location in (spec.submodule_search_locations or ()) if spec else ():
        path = Path(location) / folder / program
        if path.exists():
            return path
    for name in (program, *instead):
        if found := shutil.which(name):
            return Path(found)
    raise ConfigurationError(f"{program} is neither in a wheel nor on PATH: install {install}")
