"""Settings to a running bot: the only place where things are built."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from importlib import import_module

from bot import backup
from bot.api_keys import ApiKeys
from bot.channels import Adapter
from bot.clock import Clock
from bot.config import Settings, load
from bot.conversations import Conversations
from bot.curation import Curation
from bot.data_folder import InUse
from bot.dialogues import Dialogues
from bot.inbox import Inbox
from bot.linking import Linking
from bot.members import Members
from bot.metrics import Metrics
from bot.notices import Notices
from bot.questions import OpenQuestions
from bot.round import Round
from bot.search import Search
from bot.sharing import Sharing
from bot.signing import Signer, load_key
from bot.store import Store
from bot.tip_store import TipStore
from bot.tip_talk import TipTalk
from knowledge import Database, Embedder, KnowledgeBase, Rewriter, create_embedder


@dataclass(frozen=True, slots=True)
class Yui:
    """Everything that adapters and commands use."""

    settings: Settings
    database: Database
    knowledge: KnowledgeBase
    store: Store
    inbox: Inbox
    members: Members
    curation: Curation
    questions: OpenQuestions
    notices: Notices
    search: Search
    api_keys: ApiKeys
    conversations: Conversations
    metrics: Metrics
    clock: Callable[[], datetime]
    in_use: InUse

    def close(self) -> None:
        self.inbox.close()
        self.knowledge.close()
        self.database.close()
        self.in_use.close()


def build(settings: Settings, *, clock: Callable[[], datetime] | None = None, embedder: Embedder | None = None) -> Yui:
    """Prepare the data, load the shipped corpus, start bringing the vector index in step."""
    backup.finish_restore(settings)
    in_use = InUse(settings.data_dir)
    secret = settings.secret_key
    key = secret.get_secret_value().encode() if secret else load_key(settings.data_dir)
    database = Database(settings.database)
    knowledge = KnowledgeBase(database, embedder or create_embedder(settings.embedder), settings.index)
    store = Store(database)
    knowledge.load_shipped()
    metrics = Metrics()
    inbox = Inbox(database)

    clock = clock or Clock()
    members = Members(database, clock)
    notices = Notices(database, clock)
    tip_store = TipStore(database)
    curation = Curation(tip_store, knowledge, members, notices, clock, settings.data_dir / backup.WITHDRAWN)
    questions = OpenQuestions(database, knowledge, members, notices, clock)
    curation.reconcile()
    knowledge.refresh()
    signer = Signer(key)
    talk = TipTalk(curation, members, Dialogues(database), clock, settings.names[0])
    the_round = Round(curation, questions, members, store, signer, clock)

    def forget(person: str) -> None:
        for part in (inbox, store, talk, notices, questions, curation, members):  # members last: it knows whose accounts these are
            part.forget(person)

    rewriter = None
    if settings.llm_base_url and settings.llm_model:
        llm_key = settings.llm_api_key.get_secret_value() if settings.llm_api_key else ""
        rewriter = Rewriter(settings.llm_base_url, settings.llm_model, llm_key)
    knowledge.align_in_background()
    sharing = Sharing(members, curation, questions, notices, talk, Linking(members), the_round)
    conversations = Conversations(knowledge, store, signer, clock, metrics, forget, settings.names[0], rewriter, sharing)
    return Yui(
        settings=settings,
        database=database,
        knowledge=knowledge,
        store=store,
        inbox=inbox,
        members=members,
        curation=curation,
        questions=questions,
        notices=notices,
        search=Search(knowledge, curation, tip_store),
        api_keys=ApiKeys(database, members, clock),
        conversations=conversations,
        metrics=metrics,
        clock=clock,
        in_use=in_use,
    )


@contextmanager
def running(settings: Settings | None = None, now: datetime | None = None) -> Iterator[Yui]:
    """A bot for one command."""
    yui = build(settings or load(), clock=Clock(now))
    try:
        yield yui
    finally:
        yui.close()


def enabled_adapters(yui: Yui) -> list[Adapter]:
    """The platforms the settings name; nothing of the others is imported."""
    settings = yui.settings
    names = []
    if settings.line_channel_secret and settings.line_channel_access_token:
        names.append("line")
    if settings.discord_token:
        names.append("discord")
    return [import_module(f"adapters.{name}").create(yui) for name in names]
