"""Finds and keeps what is known; synchronous; knows nothing of chat. These names are its only door."""

from knowledge.database import Database
from knowledge.embedding import Embedder
from knowledge.embedding import create as create_embedder
from knowledge.errors import EmbedderUnavailable, IndexUnavailable, InvalidDocument, KnowledgeError, StoreUnavailable
from knowledge.evaluation import benchmark
from knowledge.ingestion import Report, ingest
from knowledge.knowledge_base import KnowledgeBase, Status
from knowledge.languages.ja import normalise
from knowledge.privacy import PersonalData, PersonalDataKind, find_personal_data, scrub
from knowledge.rewriting import Rewriter
from knowledge.similarity import Relation, Resemblance, Similarity
from knowledge.similarity import compare as compare_tips
from knowledge.sources.egov_api import EgovApi, EgovUnavailable
from knowledge.statutes import ACT, Statute
from knowledge.types import FEDERATION, PUBLIC, Answer, Audience, Citation, Context, Document, Kind, Layer, Match, Passage, Question

__all__ = [
    "ACT",
    "FEDERATION",
    "PUBLIC",
    "Answer",
    "Audience",
    "Citation",
    "Context",
    "Database",
    "Document",
    "EgovApi",
    "EgovUnavailable",
    "Embedder",
    "EmbedderUnavailable",
    "IndexUnavailable",
    "InvalidDocument",
    "Kind",
    "KnowledgeBase",
    "KnowledgeError",
    "Layer",
    "Match",
    "Passage",
    "PersonalData",
    "PersonalDataKind",
    "Question",
    "Relation",
    "Report",
    "Resemblance",
    "Rewriter",
    "Similarity",
    "Status",
    "Statute",
    "StoreUnavailable",
    "benchmark",
    "compare_tips",
    "create_embedder",
    "find_personal_data",
    "ingest",
    "normalise",
    "scrub",
]
