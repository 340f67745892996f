"""Finds and keeps what is known; synchronous; knows nothing of chat. These names are its only door."""

from knowledge.database import Database
from knowledge.embedding import Embedder
from knowledge.embedding import create as create_embedder
from knowledge.errors import EmbedderUnavailable, IndexUnavailable, InvalidDocument, KnowledgeError, StoreUnavailable
from knowledge.evaluation import benchmark
from knowledge.ingestion import Report, ingest
from knowledge.knowledge_base import KnowledgeBase, Status
from knowledge.languages.ja import normalise
from knowledge.rewriting import Rewriter
from knowledge.sources.egov_api import EgovApi, EgovUnavailable
from knowledge.statutes import ACT, Statute
from knowledge.types import Answer, Audience, Citation, Document, Kind, Layer, Match, Passage, Question

__all__ = [
    "ACT",
    "Answer",
    "Audience",
    "Citation",
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
    "Question",
    "Report",
    "Rewriter",
    "Status",
    "Statute",
    "StoreUnavailable",
    "benchmark",
    "create_embedder",
    "ingest",
    "normalise",
]
