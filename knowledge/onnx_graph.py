"""Writes ONNX models without the package `onnx`: the few protobuf messages they are made of, numbered as in onnx.proto.

Constants stay outside the model: ONNX Runtime keeps the bytes it was given for as long as the session lives.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable
from typing import Any

import numpy as np
import numpy.typing as npt

IR_VERSION = 10
OPSETS = {"": 20, "com.microsoft": 1}

_FLOAT, _INT = 1, 2  # AttributeProto.AttributeType
_ELEMENTS = {np.dtype(np.float32): 1, np.dtype(np.uint8): 2}  # TensorProto.DataType
_EXTERNAL = 1  # TensorProto.DataLocation

Value = int | float | str | bytes


class Graph:
    """Nodes in the order in which they are added, and the constants they use, by name."""

    def __init__(self) -> None:
        self.constants: dict[str, npt.NDArray[Any]] = {}
        self._nodes: list[bytes] = []

    def constant(self, name: str, array: npt.NDArray[Any]) -> str:
        """Add a tensor of float32 or uint8, and return its name. It is given to the session apart from the model."""
        self.constants[name] = array
        return name

    def node(self, operator: str, inputs: Iterable[str], output: str, domain: str = "", **attributes: float) -> str:
        """Add an operator, and return the name of its output. An input that is left out has the name ""."""
        named = [(5, _attribute(name, value)) for name, value in attributes.items()]
        self._nodes.append(_message([*((1, i) for i in inputs), (2, output), (4, operator), *named, (7, domain)]))
        return output

    def model(self, source: str, result: str, shape: tuple[int | str, ...], *also: str) -> bytes:
        """The model from one input to one output, and `also` to others, all float32 of the shape; a varying length has a name."""
        nodes = [(1, n) for n in self._nodes]
        constants = [(5, _external(name, array)) for name, array in self.constants.items()]
        results = [(12, _value(r, shape)) for r in (result, *also)]
        graph = _message([*nodes, (2, "graph"), *constants, (11, _value(source, shape)), *results])
        opsets = [(8, _message([(1, domain), (2, version)])) for domain, version in OPSETS.items()]
        return _message([(1, IR_VERSION), (7, graph), *opsets])


def _attribute(name: str, value: float) -> bytes:
    field, kind = (3, _INT) if isinstance(value, int) else (2, _FLOAT)
    return _message([(1, name), (field, value), (20, kind)])


def _external(name: str, array: npt.NDArray[Any]) -> bytes:
    location = _message([(1, "location"), (2, "memory")])  # the name of a file, which nobody opens
    dims = [(1, d) for d in array.shape]
    return _message([*dims, (2, _ELEMENTS[array.dtype]), (8, name), (13, location), (14, _EXTERNAL)])


def _value(name: str, shape: tuple[int | str, ...]) -> bytes:
    dimensions = [(1, _message([(1 if isinstance(d, int) else 2, d)])) for d in shape]
    tensor = _message([(1, _ELEMENTS[np.dtype(np.float32)]), (2, _message(dimensions))])
    return _message([(1, name), (2, _message([(1, tensor)]))])


def _message(fields: Iterable[tuple[int, Value]]) -> bytes:
    """A protobuf message: int (0 or more) as varint, float as float32, the rest with its length."""
    parts: list[bytes] = []
    for number, value in fields:
        if isinstance(value, int):
            parts += [_varint(number << 3), _varint(value)]
        elif isinstance(value, float):
            parts += [_varint(number << 3 | 5), struct.pack("<f", value)]
        else:
            data = value.encode() if isinstance(value, str) else value
            parts += [_varint(number << 3 | 2), _varint(len(data)), data]
    return b"".join(parts)


def _varint(number: int) -> bytes:
    out = bytearray()
    while number > 127:
        out.append(number & 127 | 128)
        number >>= 7
    return bytes([*out, number])
