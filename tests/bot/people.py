"""Two co-ops, their groups and people, for the tests of tips."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from bot.curation import Curation
from bot.desk.agenda import Agenda
from bot.desk.asked import Asked
from bot.desk.entries import Entries
from bot.members import CoOp, Grant, Members, Role
from bot.notices import Notices
from bot.questions import OpenQuestions
from bot.round import Round
from bot.signing import Signer
from bot.store import Store
from bot.tips.store import TipStore
from bot.tips.tip import Draft
from knowledge import FEDERATION, Audience, Database, Embedder, KnowledgeBase, Question
from tests.fakes import FakeEmbedder, FixedClock

UEDA, SUZAKA = "ueda", "suzaka"
UEDAS_GROUP, SUZAKAS_GROUP, NOBODYS_GROUP = "line:group-ueda", "line:group-suzaka", "line:group-of-nobody"
GIVER, OTHER = "line:giver", "line:other"
UEDAS_COORDINATOR, SUZAKAS_COORDINATOR, FEDERATIONS = "discord:of-ueda", "discord:of-suzaka", "discord:of-all"
LUNCH = "夏のお弁当は、ふたの上に保冷剤を2枚置くといたみませんでした。"
ASKED = "夏のお弁当がいたまないようにするには?"


@dataclass(frozen=True, slots=True)
class People:
    """Every service on one database."""

    database: Database
    knowledge: KnowledgeBase
    members: Members
    notices: Notices
    questions: OpenQuestions
    curation: Curation
    round: Round
    store: Store
    signer: Signer
    clock: FixedClock
    folder: Path

    def offer(self, text: str = LUNCH, author: str = GIVER, co_op: str = UEDA, **draft: object) -> str:
        told: dict[str, object] = {"audience": Audience.of(FEDERATION), **draft}
        group = {UEDA: UEDAS_GROUP, SUZAKA: SUZAKAS_GROUP}.get(co_op, NOBODYS_GROUP)
        made = Draft(text, **told)  # type: ignore[arg-type]
        return self.curation.offer(made, author=author, conversation=group, co_op=co_op).id

    def finds(self, group: str, question: str = ASKED) -> list[str]:
        """The tips that are told, or named as being near, in a group."""
        answer = self.knowledge.answer(Question(question, self.members.audience(group, group=True)))
        return [i for i in (*(c.id for c in answer.citations), *(m.document.id for m in answer.nearest)) if i.startswith("tip-")]


@contextmanager
def people(database: Database, folder: Path, embedder: Embedder | None = None) -> Iterator[People]:
    clock = FixedClock()
    store = Store(database)
    knowledge = KnowledgeBase(database, embedder or FakeEmbedder(), folder / "index")
    members, notices = Members(database, clock), Notices(database, clock)
    questions = OpenQuestions(database, knowledge, members, notices, clock)
    curation = Curation(TipStore(database), knowledge, members, notices, clock, folder / "withdrawn-tips.txt")
    signer = Signer(b"key")
    for co_op, name in ((UEDA, "労協うえだ"), (SUZAKA, "労協すざか")):
        members.put_co_op(CoOp(co_op, name, place="長野県"))
    members.link(UEDAS_GROUP, UEDA)
    members.link(SUZAKAS_GROUP, SUZAKA)
    members.give(UEDAS_COORDINATOR, Grant(Role.COORDINATOR, UEDA))
    members.give(SUZAKAS_COORDINATOR, Grant(Role.COORDINATOR, SUZAKA))
    members.give(FEDERATIONS, Grant(Role.COORDINATOR))
    asked, entries = Asked(database, members, clock), Entries(database, knowledge, members, clock)
    agenda = Agenda(curation, questions, asked, entries, members, clock)
    the_round = Round(agenda, curation, questions, members, store, signer, clock)
    yield People(database, knowledge, members, notices, questions, curation, the_round, store, signer, clock, folder)
    knowledge.close()
