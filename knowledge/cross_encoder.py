"""Two texts read as one: whether both say the same, from what each word of the one makes of the other.

The default model, with a low-rank correction of its weights that was trained on groups of tips (`bench/fit_cross_encoder.py`).
The file of corrections, `cross_encoder.npz`, holds for each corrected tensor `NAME.down` (in, rank) and `NAME.up` (rank, out);
`segments` (2, hidden), added to the tokens of the one and of the other; and the two layers of the head.
"""

from __future__ import annotations

from importlib import resources
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from knowledge.unigram import normalise

if TYPE_CHECKING:
    from knowledge.e5 import E5

Floats = npt.NDArray[np.float32]

_LONGEST = 200  # pieces read of each text


class CrossEncoder:
    """Raises EmbedderUnavailable where the model cannot be run."""

    def __init__(self, model: E5) -> None:
        file = resources.files("knowledge") / "cross_encoder.npz"
        with file.open("rb") as opened, np.load(opened, allow_pickle=False) as held:
            tensors = {name: held[name].astype(np.float32) for name in held.files}
        self._segments, *self._head = (tensors.pop(n) for n in ("segments", "head.w", "head.b", "out.w", "out.b"))
        self._reader = model.corrected(tensors)

    def judge(self, one: str, other: str) -> float:
        """The log-odds that two texts say the same, where every second pair does. Symmetric. Raises OSError."""
        # Always in the same order: to read them both ways and take the mean costs twice as much and tells no better.
        a, b = (self._reader.pieces(normalise(t))[:_LONGEST] for t in sorted((one, other)))
        states, cut = self._reader.read_pair(a, b, self._segments)
        here, there = states[:cut].mean(axis=0), states[cut:].mean(axis=0)
        seen = np.concatenate([states[0], np.abs(here - there), here * there, (here + there) / 2])
        first, bias, last, offset = self._head
        return float((np.tanh(first @ seen + bias) @ last + offset)[0])
