"""YAML, read in C where there is libyaml (the Python reader takes half a second for the shipped lists), never anything but data."""

from __future__ import annotations

from importlib import resources
from typing import Any

import yaml

_LOADER: type[yaml.SafeLoader] = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def parse(text: str) -> Any:
    """Raises yaml.YAMLError."""
    return yaml.load(text, Loader=_LOADER)  # noqa: S506 - a safe loader


def shipped(package: str, *path: str) -> Any:
    """A file that comes with a package."""
    return parse(resources.files(package).joinpath(*path).read_text("utf-8"))
