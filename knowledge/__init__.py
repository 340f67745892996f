"""Finds and keeps what is known; synchronous; knows nothing of chat. These names are its only door."""

from knowledge.batches import Batch, RowError, Task, prepare, take_in
from knowledge.checks import Flaw, flaws
from knowledge.database import Database
from knowledge.differences import Piece, differences
from knowledge.embedding import Embedder
from knowledge.embedding import create as create_embedder
from knowledge.errors import EmbedderUnavailable, IndexUnavailable, InvalidDocument, KnowledgeError, StoreUnavailable
from knowledge.evaluation import benchmark
from knowledge.explaining import Reasons
from knowledge.facets import place_in, prefecture_in
from knowledge.ingestion import Report, ingest
from knowledge.knowledge_base import DESK, KnowledgeBase, Status
from knowledge.languages.ja import normalise, nouns
from knowledge.listing import NOBODY, Listed, Listing, Wanted
from knowledge.privacy import PersonalData, PersonalDataKind, find_personal_data, scrub
from knowledge.rewriting import Rewriter
from knowledge.similarity import Relation, Resemblance, Similarity
from knowledge.similarity import compare as compare_tips
from knowledge.sources.egov_api import EgovApi, EgovUnavailable
from knowledge.sources.recognising import LARGEST
from knowledge.sources.tables import COLUMNS, Table, table_of
from knowledge.statutes import ACT, Statute
from knowledge.types import FEDERATION, PUBLIC, Answer, Audience, Citation, Context, Document, Kind, Layer, Match, Passage, Question

__all__ = [
    "ACT",
    "COLUMNS",
    "DESK",
    "FEDERATION",
    "LARGEST",
    "NOBODY",
    "PUBLIC",
    "Answer",
    "Audience",
    "Batch",
    "Citation",
    "Context",
    "Database",
    "Document",
    "EgovApi",
    "EgovUnavailable",
    "Embedder",
    "EmbedderUnavailable",
    "Flaw",
    "IndexUnavailable",
    "InvalidDocument",
    "Kind",
    "KnowledgeBase",
    "KnowledgeError",
    "Layer",
    "Listed",
    "Listing",
    "Match",
    "Passage",
    "PersonalData",
    "PersonalDataKind",
    "Piece",
    "Question",
    "Reasons",
    "Relation",
    "Report",
    "Resemblance",
    "Rewriter",
    "RowError",
    "Similarity",
    "Status",
    "Statute",
    "StoreUnavailable",
    "Table",
    "Task",
    "Wanted",
    "benchmark",
    "compare_tips",
    "create_embedder",
    "differences",
    "find_personal_data",
    "flaws",
    "ingest",
    "normalise",
    "nouns",
    "place_in",
    "prefecture_in",
    "prepare",
    "scrub",
    "table_of",
    "take_in",
]
