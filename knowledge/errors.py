"""What can go wrong with knowledge.

KnowledgeError
├── InvalidDocument     a document cannot be taken as it is
├── StoreUnavailable    the database refused: locked, full, read-only or damaged
├── EmbedderUnavailable the embedding model cannot be used
└── IndexUnavailable    the vector index cannot be used; lexical search goes on
"""


class KnowledgeError(Exception):
    """Something about the knowledge failed. The message is one sentence: what, and what to do."""


class InvalidDocument(KnowledgeError):
    """A document cannot be taken as it is."""


class StoreUnavailable(KnowledgeError):
    """The database refused: locked, full, read-only or damaged."""


class EmbedderUnavailable(KnowledgeError):
    """The embedding model cannot be used."""


class IndexUnavailable(KnowledgeError):
    """The vector index cannot be used; lexical search goes on without it."""
