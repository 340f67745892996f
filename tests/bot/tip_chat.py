"""People who talk with the bot about their tips, for the tests of that talk."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

from bot.dialogues import Dialogues
from bot.messages import Act, IncomingMessage, Reply
from bot.tips.talk import TipTalk
from bot.tips.tip import Tip
from knowledge import Database
from tests.bot.people import GIVER, UEDAS_GROUP, People, people

TIP = "ふたの上に保冷剤を置く"
ITS_PIECES = ("労協うえだの配食", "去年の夏", "いたまなかった")
ITS_QUESTION = "夏の弁当が悪くならないようにするには?"


@dataclass
class Chat:
    """Messages of people in chats, half a minute apart."""

    people: People
    talk: TipTalk
    group: str = UEDAS_GROUP
    person: str = GIVER
    language: str = "ja"
    replies: list[Reply | None] = field(default_factory=list)

    def message(self, text: str, *, addressed: bool = True, **about: object) -> IncomingMessage:
        is_group = self.group.startswith("line:group")
        return IncomingMessage(self.group, text, self.person, addressed=addressed, group=is_group, **about)  # type: ignore[arg-type]

    def hear(self, text: str, *, after: float = 30, question: str = "", **about: object) -> Reply | None:
        self.people.clock.now += dt.timedelta(seconds=after)
        reply = self.talk.take(self.message(text, **about), self.language, shown_question=question)
        self.replies.append(reply)
        return reply

    def say(self, *texts: str, after: float = 30, **about: object) -> Reply:
        """Says one thing after the other; the last reply."""
        reply = None
        for text in texts:
            reply = self.hear(text, after=after, **about)
            assert reply is not None, text
            assert reply.act is Act.TAKE_TIP
            assert reply.answer["choices"] == [c.text for c in reply.choices]
        assert reply is not None
        return reply

    def waits(self, text: str, after: float = 0, **about: object) -> bool:
        self.people.clock.now += dt.timedelta(seconds=after)
        return self.talk.is_waiting(self.message(text, addressed=False, **about))

    def of(self, person: str = "", group: str = "") -> Chat:
        return replace(self, person=person or self.person, group=group or self.group, replies=[])

    @property
    def tips(self) -> list[Tip]:
        return self.people.curation.mine(self.person)

    @property
    def only(self) -> Tip:
        (tip,) = self.tips
        return tip


@contextmanager
def chatting(database: Database, folder: Path) -> Iterator[Chat]:
    with people(database, folder) as found:
        yield Chat(found, TipTalk(found.curation, found.members, Dialogues(database), found.clock, "ボット"))


def choices(reply: Reply) -> list[str]:
    return [c.text for c in reply.choices]
