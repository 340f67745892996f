"""The models written here are run by ONNX Runtime as what they say."""

from __future__ import annotations

import numpy as np
import onnxruntime
import pytest

from knowledge.onnx_graph import Graph


def run(graph: Graph, result: str, x: np.ndarray) -> np.ndarray:
    options = onnxruntime.SessionOptions()
    values = [onnxruntime.OrtValue.ortvalue_from_numpy(array) for array in graph.constants.values()]
    options.add_external_initializers(list(graph.constants), values)
    model = graph.model("x", result, ("rows", x.shape[1]))
    (out,) = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"]).run(None, {"x": x})
    return np.asarray(out)


@pytest.mark.parametrize("width", [2, 127, 128, 300, 20_000])
def test_constants_nodes_and_attributes_arrive(width: int) -> None:
    """Widths of one, two and three bytes."""
    x = np.linspace(-1, 1, 3 * width, dtype=np.float32).reshape(3, width)
    graph = Graph()
    scale = graph.constant("scale", np.full(width, 2, np.float32))
    shift = graph.constant("shift", np.arange(width, dtype=np.float32))
    normed = graph.node("LayerNormalization", ["x", scale, shift], "normed", epsilon=0.5)
    expected = (x - x.mean(1, keepdims=True)) / np.sqrt(x.var(1, keepdims=True) + 0.5) * 2 + np.arange(width)
    np.testing.assert_allclose(run(graph, normed, x), expected, rtol=1e-4, atol=1e-4)


def test_inputs_that_are_left_out_and_operators_of_microsoft() -> None:
    """One row of 32 weights at 4 bits, 8 standing for 0: the nibbles 9 and 7 are 1 and -1."""
    graph = Graph()
    weights = graph.constant("weights", np.full((1, 1, 16), 7 << 4 | 9, np.uint8))
    scales = graph.constant("scales", np.array([0.5], np.float32))
    bias = graph.constant("bias", np.array([10], np.float32))
    sizes = {"K": 32, "N": 1, "bits": 4, "block_size": 32}
    product = graph.node("MatMulNBits", ["x", weights, scales, "", "", bias], "product", "com.microsoft", **sizes)
    x = np.zeros((2, 32), np.float32)
    x[0, 0], x[1, 1] = 4, 4
    np.testing.assert_allclose(run(graph, product, x), [[12], [8]])
