"""Settings to a running bot: the only place where things are built."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from importlib import import_module

from bot.channels import Adapter
from bot.clock import Clock
from bot.config import Settings
from bot.conversations import Conversations
from bot.inbox import Inbox
from bot.metrics import Metrics
from bot.signing import Signer, load_key
from bot.store import Store
from knowledge import Database, Embedder, KnowledgeBase, Rewriter, create_embedder


@dataclass(frozen=True, slots=True)
class Yui:
    """Everything that adapters and commands use."""

    settings: Settings
    database: Database
    knowledge: KnowledgeBase
    store: Store
    inbox: Inbox
    conversations: Conversations
    metrics: Metrics
    clock: Callable[[], datetime]

    def close(self) -> None:
        self.inbox.close()
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
    inbox = Inbox(database)

    def forget(person: str) -> None:
        inbox.forget(person)
        store.forget(person)

    clock = clock or Clock()
    rewriter = None
    if settings.llm_base_url and settings.llm_model:
        llm_key = settings.llm_api_key.get_secret_value() if settings.llm_api_key else ""
        rewriter = Rewriter(settings.llm_base_url, settings.llm_model, llm_key)
    conversations = Conversations(knowledge, store, Signer(key), clock, metrics, forget, settings.names[0], rewriter)
    return Yui(settings, database, knowledge, store, inbox, conversations, metrics, clock)


def enabled_adapters(yui: Yui) -> list[Adapter]:
    """The platforms the settings name; nothing of the others is imported."""
    settings = yui.settings
    names = []
    if settings.line_channel_secret and settings.line_channel_access_token:
        names.append("line")
    if settings.discord_token:
        names.append("discord")
    return [import_module(f"adapters.{name}").create(yui) for name in names]
