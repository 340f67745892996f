"""Memory that the C library keeps for itself."""

from __future__ import annotations

import contextlib
import ctypes


def give_memory_back() -> None:
    """Building an index leaves over 100 MB that glibc keeps for itself (10,000 passages); other libraries give it back."""
    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL(None).malloc_trim(0)
