"""The round in the chat: what waits for a coordinator, at most seven cards at a time, one tap each.

A button carries the tip and the version that was on its card, signed: an old card, a second tap or a second coordinator can
never decide about something that was not seen.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace

from bot import round_words, wording
from bot.curation import Curation
from bot.desk.agenda import Agenda
from bot.errors import UserMistake
from bot.members import Members, Role
from bot.messages import Act, Card, Choice, IncomingMessage, Reply, plain
from bot.questions import OpenQuestions, Topic, as_mark, moment_of
from bot.signing import Signer
from bot.store import Store
from bot.tips.mistakes import refusal
from bot.tips.tip import MAY_STAND, Action, Decided, Tip, Verdict
from knowledge import Audience, Relation, find_personal_data

MOST_CARDS = 7
_PURPOSE = "round"
_CARD_TEXT = 120  # characters of what was told
_CARD = 300  # of a whole card: what platforms have room for
_LISTENS = dt.timedelta(minutes=15)  # so long are a coordinator's next words about the round: an answer, a word without a number
_UNDOABLE = dt.timedelta(days=1)  # so long does the word alone take a decision back


@dataclass(frozen=True, slots=True)
class _Shown:
    """What a coordinator has before them: the cards of the last round in their order, and a question being answered."""

    cards: tuple[str, ...] = ()  # `tip-….VERSION`, `tip-….VERSION.INTO`, or a topic's id with a `?` before it
    left: tuple[str, ...] = ()  # of these, what has not been decided
    answering: str = ""
    told: str = ""  # a mark of an answer with personal data in it, which may be sent again
    chosen: str = ""  # the card that was named last
    since: str = ""  # when the round spoke last; empty where something else came after it


class Round:
    """Synchronous. `take` is for messages written to the bot alone by somebody who may review."""

    def __init__(
        self, agenda: Agenda, curation: Curation, questions: OpenQuestions, members: Members, store: Store, signer: Signer,
        clock: Callable[[], dt.datetime],
    ) -> None:  # fmt: skip
        self._agenda = agenda
        self._curation = curation
        self._questions = questions
        self._members = members
        self._store = store
        self._signer = signer
        self._clock = clock

    def take(self, message: IncomingMessage, language: str) -> Reply | None:
        """The reply to a message that belongs to the round; None for any other."""
        sender = message.sender or message.conversation
        press = self._signer.verify(_PURPOSE, message.press) if message.press else None
        begins = not message.press and round_words.begins(message.text)
        if not self._may(sender):
            return self._not_for(message, sender, language, press=bool(press), begins=begins)
        if message.group:
            return plain(Act.OTHER, wording.say("round_alone", language), language) if press or begins else None
        if press:
            return self._pressed(press, sender, language)
        if begins:
            return self._cards(sender, language)
        shown = self._shown(sender)
        reply = None if message.press else self._heard(shown, message.text.strip(), sender, language)
        if reply is None and shown.since and not round_words.is_small_talk(message.text):  # another talk goes on from here
            self._store.set_mark(_mark(sender), json.dumps(asdict(_Shown(shown.cards, shown.left))))
        return reply

    def _not_for(self, message: IncomingMessage, sender: str, language: str, *, press: bool, begins: bool) -> Reply | None:
        """What somebody hears who reviews nothing, perhaps not any more."""
        decides = not message.group and bool(round_words.typed(message.text)) and bool(self._shown(sender).cards)
        if press or decides:
            return plain(Act.OTHER, wording.say("round_not_allowed", language), language)
        return plain(Act.OTHER, wording.say("round_for_coordinators", language), language) if begins else None

    def _heard(self, shown: _Shown, text: str, sender: str, language: str) -> Reply | None:
        """What is typed where a press would do, or the answer to a question."""
        if shown.cards and (typed := round_words.typed(text)):
            return self._typed(shown, typed, sender, language)
        if round_words.is_undo_label(text) or (shown.since and round_words.undoes(text)):
            if last := self._last(sender):
                return self._undone(last, sender, language)
            return plain(Act.OTHER, wording.say("round_already", language), language) if shown.since else None
        if shown.answering:
            return self._told(shown, text, sender, language)
        if not shown.since or not shown.left:
            return None
        if (number := round_words.number(text)) is not None:
            return self._one(shown, number, sender, language)
        wish = round_words.bare(text)
        return self._bare(shown, *wish, sender, language) if wish else None

    def _bare(self, shown: _Shown, action: str, words: str, sender: str, language: str) -> Reply:
        """A word without a number is about the only card that is left, or the one that was named last."""
        key = shown.chosen or (shown.left[0] if len(shown.left) == 1 else "")
        if not key:
            return plain(Act.OTHER, wording.say("round_typed", language, **_labels(language)), language)
        return self._typed(shown, round_words.Typed(shown.cards.index(key) + 1, action, words), sender, language)

    def _told(self, shown: _Shown, text: str, sender: str, language: str) -> Reply | None:
        """The words that follow 「答える」; None for what cannot be meant as an answer."""
        key = f"?{shown.answering}"
        if round_words.leaves(text):
            self._remember(sender, _Shown(shown.cards, shown.left))
            return plain(Act.OTHER, wording.say("round_left", language), language)
        wish = round_words.bare(text)
        if wish and not wish[1] and key in shown.cards:
            return self._typed(shown, round_words.Typed(shown.cards.index(key) + 1, wish[0]), sender, language)
        return None if round_words.is_no_answer(text) else self._answered(shown, text, sender, language)

    def _last(self, sender: str) -> str:
        """What the word for undoing takes back: as it would stand on the button; empty where there is nothing."""
        if settled := self._store.mark(_mark(sender, "undo")):
            return settled
        last = self._curation.last_decided(sender)
        return f"{last.tip}.{as_mark(last.at)}" if last and self._clock() - last.at < _UNDOABLE else ""

    # what is shown

    def _cards(self, sender: str, language: str, said: str = "") -> Reply:
        waiting = self._agenda.for_chat(sender)
        if not waiting:
            self._remember(sender, _Shown())
            return plain(Act.OTHER, _joined(said, wording.say("round_empty", language)), language)
        scope = self._scope(sender)
        made = [
            self._tip_card(n, item, scope, language) if isinstance(item, Tip) else self._topic_card(n, item, language)
            for n, item in enumerate((i.about for i in waiting[:MOST_CARDS]), 1)
        ]
        keys = tuple(key for key, _ in made)
        self._remember(sender, _Shown(keys, keys))
        body = _joined(said, wording.say("round_begins", language, count=str(len(waiting)), shown=str(len(made))))
        listed = [f"{card.title}\n{card.text}" for _, card in made]
        text = "\n\n".join([body, *listed, wording.say("round_typed", language, **_labels(language))])
        reply = plain(Act.OTHER, text, language)
        return reply.with_cards(body, tuple(card for _, card in made))

    def _one(self, shown: _Shown, number: int, sender: str, language: str) -> Reply:
        """The card that was named, once more, with what it takes."""
        if number > len(shown.cards):
            return plain(Act.OTHER, wording.say("round_no_card", language), language)
        key = shown.cards[number - 1]
        about = self._questions.topic(key[1:], sender) if key.startswith("?") else self._curation.tip(key.split(".")[0], sender)
        if key not in shown.left or about is None:
            return self._next(key, wording.say("round_already", language), sender, language)
        if isinstance(about, Tip):
            card = self._tip_card(number, about, self._scope(sender), language)[1]
        else:
            card = self._topic_card(number, about, language)[1]
        self._remember(sender, replace(shown, chosen=key))
        takes = _takes(number, language, is_question=key.startswith("?"))
        reply = plain(Act.OTHER, f"{card.title}\n{card.text}\n\n{takes}", language)
        return reply.with_cards(takes, (card,))

    def _tip_card(self, number: int, tip: Tip, scope: Audience, language: str) -> tuple[str, Card]:
        near = [(t, r) for t, r in self._curation.similar(tip.draft.text, scope) if t.id != tip.id]
        same = next((t for t, r in near if r.relation is Relation.SAME and self._curation.may_stand_for(t, tip)), None)
        lines = [_cut(tip.draft.text, _CARD_TEXT)]
        lines += [_cut(part, 30) for part in (tip.draft.place, tip.draft.happened, tip.draft.outcome) if part]
        kinds = dict.fromkeys(found.kind.value for found in find_personal_data(tip.draft.text))
        if kinds:
            marks = "、".join(wording.say(f"personal_{kind}", language) for kind in kinds)
            lines.append(wording.say("round_personal", language, kinds=marks))
        if (about := self._curation.attributions([tip.id]).get(tip.id)) and about.helped:
            lines.append(wording.say("tip_helped_count", language, count=str(about.helped)))
        if near:
            lines.append(wording.say("round_similar", language, text=_cut((same or near[0][0]).draft.text, 50)))
        key = f"{tip.id}.{tip.version}"
        actions = ["publish", *(["merge"] if same else []), "ask_back", "decline", "postpone"]
        choices = tuple(self._choice(f"{key}.{a}" + (f".{same.id}" if same and a == "merge" else ""), a, language) for a in actions)
        title = wording.say("round_tip", language, number=str(number))
        return (f"{key}.{same.id}" if same else key), Card(title, _cut("\n".join(lines), _CARD), choices)

    def _topic_card(self, number: int, topic: Topic, language: str) -> tuple[str, Card]:
        lines = [_cut(topic.text, _CARD_TEXT)]
        if topic.nearest:
            lines.append(wording.say("round_nearest", language, names="、".join(_cut(n, 40) for n in topic.nearest[:2])))
        title = wording.say("round_question", language, number=str(number), asked=str(topic.asked))
        choices = tuple(self._choice(f"?{topic.id}..{a}", a, language) for a in ("answer", "close", "postpone"))
        return f"?{topic.id}", Card(title, _cut("\n".join(lines), _CARD), choices)

    def _choice(self, value: str, action: str, language: str) -> Choice:
        return Choice(wording.say(f"round_{action}", language), self._signer.sign(_PURPOSE, value))

    # what is decided

    def _pressed(self, value: str, sender: str, language: str) -> Reply:
        parts = value.split(".")
        if parts[0] == "undo":
            return self._undone(".".join(parts[1:]), sender, language)
        item, version, action = parts[:3]
        if item.startswith("?"):
            return self._about_topic(item[1:], action, sender, language)
        return self._about_tip(item, int(version), action, "", parts[3] if len(parts) > 3 else "", sender, language)

    def _typed(self, shown: _Shown, typed: round_words.Typed, sender: str, language: str) -> Reply:
        if typed.number > len(shown.cards):
            return plain(Act.OTHER, wording.say("round_no_card", language), language)
        key = shown.cards[typed.number - 1]
        is_question = key.startswith("?")
        if typed.action not in (round_words.QUESTION_ACTIONS if is_question else round_words.TIP_ACTIONS):
            return plain(Act.OTHER, _takes(typed.number, language, is_question=is_question), language)
        if is_question:
            if typed.action == "answer" and typed.words:
                return self._answered(replace(shown, answering=key[1:]), typed.words, sender, language)
            return self._about_topic(key[1:], typed.action, sender, language)
        tip_id, version, *into = key.split(".")
        if typed.action == "merge" and not into:
            return plain(Act.OTHER, _takes(typed.number, language, is_question=False), language)
        return self._about_tip(tip_id, int(version), typed.action, typed.words, "".join(into), sender, language)

    def _about_tip(self, tip_id: str, version: int, action: str, reason: str, into: str, sender: str, language: str) -> Reply:
        if action not in {a.value for a in Action} or action in (Action.EXPIRE, Action.HAND_OVER):
            return plain(Act.OTHER, wording.say("no_such_choice", language), language)
        try:
            decided = self._curation.decide(tip_id, version, Action(action), sender, reason=reason, into=into, queued=True)
        except UserMistake as mistake:
            return plain(Act.OTHER, refusal(mistake, language), language)
        said = wording.say(_SENTENCES.get((decided.verdict, action), f"round_{decided.verdict.value}"), language)
        return self._next(tip_id, said, sender, language, undo=_undo_of(decided))

    def _about_topic(self, topic_id: str, action: str, sender: str, language: str) -> Reply:
        topic = self._questions.topic(topic_id, sender)
        if topic is None:
            return self._next(f"?{topic_id}", wording.say("round_already", language), sender, language)
        if action == "answer":
            shown = self._shown(sender)
            self._remember(sender, _Shown(shown.cards, shown.left, topic_id))
            leave = wording.say("round_leave", language)
            said = wording.say("round_write_answer", language, question=_cut(topic.text, 60), leave=leave)
            return plain(Act.OTHER, said, language).with_choices(Choice(leave))
        settle = {"close": self._questions.close, "postpone": self._questions.postpone}.get(action)
        if settle is None:
            return plain(Act.OTHER, wording.say("no_such_choice", language), language)
        mark = settle(topic_id, sender)
        said = wording.say(f"round_done_{action}" if mark else "round_already", language)
        return self._next(f"?{topic_id}", said, sender, language, undo=f"?{topic_id}.{mark}" if mark else "")

    def _answered(self, shown: _Shown, text: str, sender: str, language: str) -> Reply:
        """The coordinator's next words are the answer: it becomes a tip of its own and is published."""
        topic_id = shown.answering
        self._remember(sender, _Shown(shown.cards, shown.left))
        if self._questions.topic(topic_id, sender) is None:
            return self._next(f"?{topic_id}", wording.say("round_already", language), sender, language)
        if said := self._personal(shown, text, language):
            self._remember(sender, replace(shown, told=_digest(text)))
            return plain(Act.OTHER, said, language).with_choices(Choice(wording.say("round_leave", language)))
        try:
            decided = self._agenda.answer(topic_id, text, sender)
        except UserMistake as mistake:
            self._remember(sender, shown)  # it can be written again
            return plain(Act.OTHER, refusal(mistake, language), language)
        if decided is None or decided.verdict is not Verdict.DONE:
            verdict = decided.verdict.value if decided else "already"
            return self._next(f"?{topic_id}", wording.say(f"round_{verdict}", language), sender, language)
        return self._next(f"?{topic_id}", wording.say("round_done_answer", language), sender, language, undo=_undo_of(decided))

    def _personal(self, shown: _Shown, text: str, language: str) -> str:
        """What is said to an answer that tells about a person; names and addresses may stand when they are sent again."""
        again = shown.told == _digest(text)
        found = [d for d in find_personal_data(text) if not (again and d.kind in MAY_STAND)]
        if not found:
            return ""
        marks = "、".join(wording.say(f"personal_{kind}", language) for kind in dict.fromkeys(d.kind.value for d in found))
        may_stand = all(d.kind in MAY_STAND for d in found)
        said = [wording.say("round_personal", language, kinds=marks), wording.say("round_write_again", language)]
        return _joined(*said, wording.say("round_same_again", language) if may_stand else "")

    def _undone(self, last: str, sender: str, language: str) -> Reply:
        """Take back what was decided about a tip (`tip-….MARK`), or the closing or postponement of a question (`?TOPIC.MARK`)."""
        if last.startswith("?"):
            topic_id, _, mark = last[1:].partition(".")
            opened = self._questions.reopen(topic_id, mark, sender)
            return plain(Act.OTHER, wording.say("round_undone" if opened else "round_already", language), language)
        tip_id, _, mark = last.partition(".")
        decided = self._agenda.undo(tip_id, sender, moment_of(mark))
        key = "round_undone" if decided.verdict is Verdict.DONE else f"round_{decided.verdict.value}"
        return plain(Act.OTHER, wording.say(key, language), language)

    def _next(self, key: str, said: str, sender: str, language: str, undo: str = "") -> Reply:
        """What was done, and what is left; the next cards where these are done."""
        shown = self._shown(sender)
        left = tuple(k for k in shown.left if k != key and not k.startswith(f"{key}."))
        self._remember(sender, _Shown(shown.cards, left))
        if undo:  # typed, it takes the last thing back: of tips that is written down anyway
            self._store.set_mark(_mark(sender, "undo"), undo if undo.startswith("?") else "")
        if shown.cards and not left:
            return self._cards(sender, language, said).with_choices(*self._undo_choice(undo, language))
        if left:
            said = f"{said}\n{wording.say('round_left_over', language, count=str(len(left)))}"
        return plain(Act.OTHER, said, language).with_choices(*self._undo_choice(undo, language))

    def _undo_choice(self, last: str, language: str) -> Sequence[Choice]:
        return [Choice(wording.say("round_undo", language), self._signer.sign(_PURPOSE, f"undo.{last}"))] if last else []

    # who, and what is before them

    def _may(self, sender: str) -> bool:
        return any(g.role in (Role.ADMIN, Role.COORDINATOR) for g in self._members.grants(sender))

    def _scope(self, sender: str) -> Audience:
        """What a coordinator may compare a tip with: what they may see themselves."""
        return self._members.audience(sender, sender, group=False)

    def _shown(self, sender: str) -> _Shown:
        raw = json.loads(self._store.mark(_mark(sender)) or "{}")
        cards, left = (tuple(raw.get(k, ())) for k in ("cards", "left"))
        shown = _Shown(cards, left, *(str(raw.get(k, "")) for k in ("answering", "told", "chosen", "since")))
        is_late = bool(shown.since) and self._clock() - dt.datetime.fromisoformat(shown.since) > _LISTENS
        return _Shown(shown.cards, shown.left) if is_late else shown

    def _remember(self, sender: str, shown: _Shown) -> None:
        """Keep what a coordinator has before them now, while the round speaks."""
        self._store.set_mark(_mark(sender), json.dumps(asdict(replace(shown, since=self._clock().isoformat()))))


_SENTENCES = {
    (Verdict.DONE, "publish"): "round_done_publish",
    (Verdict.DONE, "ask_back"): "round_done_ask_back",
    (Verdict.DONE, "decline"): "round_done_decline",
    (Verdict.DONE, "merge"): "round_done_merge",
    (Verdict.DONE, "postpone"): "round_done_postpone",
}


def _undo_of(decided: Decided) -> str:
    """What a button for undoing carries: the tip, and the moment of exactly this decision."""
    is_done = decided.verdict is Verdict.DONE and decided.tip is not None
    return f"{decided.tip.id}.{as_mark(decided.tip.changed_at)}" if is_done and decided.tip else ""


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _mark(sender: str, what: str = "round") -> str:
    return f"{what}:{sender}"[:80]


def _takes(number: int, language: str, *, is_question: bool) -> str:
    """Which words a card takes."""
    key = "round_takes_question" if is_question else "round_takes_tip"
    return wording.say(key, language, number=str(number), **_labels(language))


def _labels(language: str) -> dict[str, str]:
    every = (*round_words.TIP_ACTIONS, *round_words.QUESTION_ACTIONS)
    return {action: wording.say(f"round_{action}", language) for action in every}


def _cut(text: str, most: int) -> str:
    return text if len(text) <= most else text[: most - 1] + "…"


def _joined(*parts: str) -> str:
    return "\n".join(p for p in parts if p)
