"""What co-ops share, as one talk sees it: who may hear what, tips offered and reviewed, and what stands with them in answers."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import replace

from bot import wording
from bot.announcing.talk import AnnouncementTalk
from bot.curation import Curation
from bot.desk.asked import Asked
from bot.linking import Linking
from bot.members import Members
from bot.messages import IncomingMessage, Reply
from bot.notices import Notices
from bot.questions import OpenQuestions
from bot.round import Round
from bot.tips.talk import TipTalk
from bot.tips.tip import Attribution, Draft
from bot.turn import Taken, Turn, owner
from knowledge import Answer, Audience, EmbedderUnavailable, IndexUnavailable, Kind, StoreUnavailable

log = logging.getLogger(__name__)

_ALONE = frozenset({"tip_declined"})  # what a giver hears alone with the bot only
_MOST_NOTICES = 3  # in one reply
_NEAREST = 3


class Sharing:
    """Synchronous. Where the database refuses, a talk goes on without what is shared."""

    def __init__(
        self,
        members: Members,
        curation: Curation,
        questions: OpenQuestions,
        notices: Notices,
        talk: TipTalk,
        linking: Linking,
        the_round: Round,
        asked: Asked,
        announcing: AnnouncementTalk,
    ) -> None:
        self._members = members
        self._curation = curation
        self._questions = questions
        self._notices = notices
        self._talk = talk
        self._linking = linking
        self._round = the_round
        self._asked = asked
        self._announcing = announcing

    def audience(self, message: IncomingMessage) -> Audience:
        """What may be told here: in a group what all of it may hear, alone what this person may."""
        if message.co_op is not None:
            return Audience.of_member(message.co_op)
        try:
            return self._members.audience(message.conversation, message.sender, group=message.group, within=message.within)
        except StoreUnavailable as error:
            log.error("Who may hear what could not be read; only what is public is told. %s", error)
            return Audience()

    def take(self, turn: Turn) -> Taken | None:
        """A message of an open talk, the round, a code, an announcement; None for any other."""
        for take in (self._round.take, self._linking.take, self._announcing.take, self._talk.take):
            if (reply := take(turn.message, turn.language)) is not None:
                return reply, turn.state
        return None

    def is_waiting(self, message: IncomingMessage) -> bool:
        """Whether an open talk waits for this message although nobody addressed the bot."""
        return self._talk.is_waiting(message)

    def offer(self, message: IncomingMessage, pieces: Mapping[str, str], language: str) -> Reply:
        """Begin a tip with what was told in a form: `text`, `place`, `happened`, `outcome`."""
        text, place, happened, outcome = (str(pieces.get(k, "")) for k in ("text", "place", "happened", "outcome"))
        return self._talk.offer(message, Draft(text, place, happened, outcome), language)

    def told(self, answer: Answer, language: str) -> Answer:
        """The answer with who, where, when, how often it helped and whether it is verified behind each tip."""
        ids = [i for i in answer.told if i.startswith("tip-")]
        if not ids:
            return answer
        about = self._curation.attributions(ids)
        behind = [_behind(about[i], language) for i in ids if i in about]
        layers = []
        for layer in answer.layers:
            lines = layer.text.split("\n")
            if layer.kind is Kind.TIP and len(lines) == len(behind):
                layer = replace(layer, text="\n".join(map("".join, zip(lines, behind, strict=True))))
            layers.append(layer)
        return replace(answer, layers=tuple(layers))

    def not_found(self, text: str, answer: Answer, message: IncomingMessage) -> bool:
        """Keep a question that found no answer, for those who may have lived it. Returns whether it is kept."""
        if not message.conversation:
            return False  # it belongs to no conversation: a trial
        try:
            return self._questions.record(
                text,
                asker=owner(message),
                conversation=message.conversation,
                co_op=self._co_op_of(message),
                nearest=[m.passage.id for m in answer.nearest[:_NEAREST]],
            )
        except (StoreUnavailable, EmbedderUnavailable, IndexUnavailable) as error:
            log.error("An unanswered question could not be kept. %s", error)
            return False

    def asked(self, answer_id: str, text: str, answer: Answer, message: IncomingMessage, language: str) -> None:
        """Keep what was asked, and whether it was answered, for those who look after the co-op it was asked in.

        Nothing is kept of what belongs to no conversation or was played from a file.
        """
        if not message.conversation or message.rehearsed:
            return
        try:
            self._asked.record(
                answer_id,
                text,
                language=language,
                asker=owner(message),
                conversation=message.conversation,
                co_op=self._co_op_of(message),
                answered=answer.answered,
                passages=answer.told,
            )
        except StoreUnavailable as error:
            log.error("What was asked could not be kept. %s", error)

    def rated(self, answer_id: str, passages: Sequence[str], *, helpful: bool) -> None:
        """Somebody found an answer with these passages helpful, or not."""
        self._asked.rated(answer_id, helpful=helpful)
        if helpful:
            self._curation.rated(passages, helpful=True)

    def news(self, message: IncomingMessage, language: str) -> list[str]:
        """What this person shall hear with the reply they get now."""
        try:
            mine = self._members.accounts_of(owner(message))
            without, group = (_ALONE, message.conversation) if message.group else (frozenset[str](), "")
            waiting = self._notices.take(mine, _MOST_NOTICES, without=without, group=group)
        except StoreUnavailable as error:
            log.error("Notices could not be read. %s", error)
            return []
        return [wording.say(key, language, **values).strip() for key, values in waiting]

    def left(self, conversation: str) -> None:
        """The bot is no longer in a group."""
        self._talk.left(conversation)
        self._asked.left(conversation)
        self._linking.left(conversation)

    def _co_op_of(self, message: IncomingMessage) -> str:
        return self._members.own_co_op(message.conversation, message.sender, group=message.group, within=message.within)


def _behind(about: Attribution, language: str) -> str:
    """What stands behind a tip, in brackets."""
    parts = [about.who or wording.say("tip_anonymous", language), about.where, about.when]
    if about.helped:
        parts.append(wording.say("tip_helped_count", language, count=str(about.helped)))
    parts.append(wording.say("tip_verified" if about.verified else "tip_unverified", language))
    if about.changed:
        parts.append(wording.say("tip_changed", language, articles="、".join(about.changed)))
    return wording.say("tip_by", language, parts="・".join(p for p in parts if p))
