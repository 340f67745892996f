"""Settings to a running bot: the only place where things are built."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from bot.clock import Clock
from bot.config import Settings
from bot.conversations import Conversations
from bot.metrics import Metrics
from bot.signing import Signer, load_key
from bot.store import Store
from knowledge import Database, Embedder, KnowledgeBase, create_embedder


@dataclass(frozen=True, slots=True)
class Yui:
    """Everything that adapters and commands use."""

    settings: Settings
    database: Database
    knowledge: KnowledgeBase
    store: Store
    conversations: Conversations
    metrics: Metrics

    def close(self) -> None:
        self.knowledge.close()
        self.database.close()


def build(settings: Settings, *, clock: Callable[[], datetime] | None = None, embedder: Embedder | None = None) -> Yui:
    """Prepare the data, load the shipped corpus, start bringing the vector index in step."""
    secret = settings.secret_key
    key = secret.get_secret_value().encode() if secret else load_key(settings.data_dir)
    database = Database(settings.database)
    knowledge = KnowledgeBase(database, embedder or create_embedder(settings.embedder), settings.index)
    store = Store(database)
    knowledge.load_shipped()
    knowledge.refresh()
    knowledge.align_in_background()
    metrics = Metrics()
    conversations = Conversations(knowledge, store, Signer(key), clock or Clock(), metrics)
    return Yui(settings, database, knowledge, store, conversations, metrics)
