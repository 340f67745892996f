"""Settings to a running bot: the only place where things are built."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from importlib import import_module

from bot import backup
from bot.announcing.announced import Told
from bot.announcing.chats import Chats
from bot.announcing.composing import Announcements
from bot.announcing.deliveries import Deliveries
from bot.announcing.engine import Engine
from bot.announcing.knowledge_of import Bulletin
from bot.announcing.ledger import Ledger
from bot.announcing.links import address
from bot.announcing.pictures import Pictures
from bot.announcing.schedule import Schedule
from bot.announcing.talk import AnnouncementTalk
from bot.api_keys import ApiKeys
from bot.channels import Adapter
from bot.clock import Clock
from bot.config import Settings, load
from bot.conversations import Conversations
from bot.curation import Curation
from bot.data_folder import InUse
from bot.desk.agenda import Agenda
from bot.desk.asked import Asked
from bot.desk.audit import Audit
from bot.desk.entries import Entries
from bot.desk.imports import Imports
from bot.desk.people import People
from bot.desk.sign_in import SignIn
from bot.desk.synonyms import Synonyms
from bot.dialogues import Dialogues
from bot.inbox import Inbox
from bot.linking import Linking
from bot.members import Members
from bot.messages import Reply, Shown
from bot.metrics import Metrics
from bot.notices import Notices
from bot.questions import OpenQuestions
from bot.round import Round
from bot.search import Search
from bot.sharing import Sharing
from bot.signing import Signer, load_key
from bot.store import Store
from bot.tips.store import TipStore
from bot.tips.talk import TipTalk
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
    asked: Asked
    notices: Notices
    announcements: Announcements
    told: Told
    bulletin: Bulletin
    deliveries: Deliveries
    chats: Chats
    pictures: Pictures
    engine: Engine
    search: Search
    api_keys: ApiKeys
    sign_in: SignIn
    people: People
    audit: Audit
    entries: Entries
    synonyms: Synonyms
    imports: Imports
    agenda: Agenda
    signer: Signer
    conversations: Conversations
    metrics: Metrics
    clock: Callable[[], datetime]
    in_use: InUse

    def quoted(self, platform: str, message_id: str, chats: Sequence[str]) -> str | None:
        """What a message of the bot told: the id of an answer ("" for none) or of an announcement that went to one of these
        chats; None for somebody else's message."""
        answer = self.store.answer_of(platform, message_id)
        return self.told.carried_by(platform, message_id, chats) if answer is None else answer

    def keep_up(self) -> None:
        """What has to happen while time passes: hide what is past its day, let go of what is old, read what is new."""
        self.curation.expire()
        self.entries.expire()
        self.asked.expire()
        self.imports.tidy()
        self.synonyms.refresh()
        self.bulletin.follow()
        self.pictures.tidy(self.told.pictures)
        self.knowledge.read_ahead()

    def close(self) -> None:
        self.imports.close()
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
    chats = Chats(database, members, clock)
    sign_in, audit = SignIn(database, members, clock), Audit(database, members, clock)
    notices = Notices(database, clock)
    tip_store = TipStore(database)
    curation = Curation(tip_store, knowledge, members, notices, clock, settings.data_dir / backup.WITHDRAWN)
    questions = OpenQuestions(database, knowledge, members, notices, clock)
    asked = Asked(database, members, clock)
    asked.expire()
    entries = Entries(database, knowledge, members, clock)
    entries.expire()
    synonyms = Synonyms(database, knowledge, members, clock)
    imports = Imports(database, knowledge, members, clock, settings.data_dir / "imports")
    imports.tidy()
    curation.reconcile()
    knowledge.refresh()
    signer = Signer(key)
    talk = TipTalk(curation, members, Dialogues(database), clock, settings.names[0])
    agenda = Agenda(curation, questions, asked, entries, members, clock)
    the_round = Round(agenda, curation, questions, members, store, signer, clock)

    def forget(person: str) -> None:
        # members last: it knows whose accounts these are; what was asked before the store, which knows who rated it
        for part in (
            asked,
            inbox,
            store,
            chats,
            talk,
            notices,
            questions,
            curation,
            entries,
            synonyms,
            imports,
            sign_in,
            audit,
            members,
        ):
            part.forget(person)

    rewriter = None
    if settings.llm_base_url and settings.llm_model:
        llm_key = settings.llm_api_key.get_secret_value() if settings.llm_api_key else ""
        rewriter = Rewriter(settings.llm_base_url, settings.llm_model, llm_key)
    knowledge.align_in_background()
    ledger, pictures = Ledger(database, clock), Pictures(settings.data_dir / "pictures", settings.public_url)
    deliveries = Deliveries(database, ledger, language_of=lambda chat: store.preference(chat).language, picture=pictures.address)
    schedule = Schedule(database, chats, clock, notices)
    linking = Linking(members, chats)
    told = Told(database, clock)
    page = partial(address, settings.public_url, signer)
    bulletin = Bulletin(knowledge, told, page, clock, told.is_withdrawn)
    bulletin.refresh()
    announcements = Announcements(database, members, chats, schedule, ledger, clock, pictures, bulletin.follow)
    announcing = AnnouncementTalk(announcements, members, Dialogues(database), clock)
    sharing = Sharing(members, curation, questions, notices, talk, linking, the_round, asked, announcing)
    conversations = Conversations(knowledge, store, signer, clock, metrics, forget, settings.names[0], rewriter, sharing, bulletin)
    return Yui(
        settings=settings,
        database=database,
        knowledge=knowledge,
        store=store,
        inbox=inbox,
        members=members,
        curation=curation,
        questions=questions,
        asked=asked,
        notices=notices,
        announcements=announcements,
        told=told,
        bulletin=bulletin,
        deliveries=deliveries,
        chats=chats,
        pictures=pictures,
        engine=Engine(schedule, deliveries, ledger, chats, clock),
        search=Search(knowledge, curation, tip_store),
        api_keys=ApiKeys(database, members, clock),
        sign_in=sign_in,
        people=People(members, sign_in),
        audit=audit,
        entries=entries,
        synonyms=synonyms,
        imports=imports,
        agenda=agenda,
        signer=signer,
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


def previews(reply: Reply) -> dict[str, list[Shown]]:
    """A reply as each platform would show it, whether it is switched on or not."""
    return {name: import_module(f"adapters.{name}.rendering").shown(reply) for name in ("line", "discord")}
