"""Random histories of co-ops that tell each other things, held against the rules after every step."""

from __future__ import annotations

import datetime as dt
import random
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from bot.desk.asked import By, Filters
from bot.desk.small_counts import LEAST
from bot.errors import UserMistake
from bot.exporting import Exporting
from bot.members import Grant, Purpose, Role, co_op_key
from bot.messages import IncomingMessage, Reply
from bot.search import Search, audience_of_member
from bot.tips.store import TipStore
from bot.tips.tip import Action, Consent, Draft, Tip, Verdict
from knowledge import FEDERATION, PUBLIC, Answer, Audience, Question
from tests.fakes import FixedClock
from tests.properties.audience_rules import EVERYONE, AQuestion, ATip, Rules
from tests.properties.audience_rules import FEDERATION as ALL_CO_OPS
from tests.properties.audience_world import CO_OPS, GROUPS, LINKS, ROLES, World

ASKED = "夏のお弁当がいたまないようにするには?"
_WORD = re.compile(r"zq\d+x")
_CHOSEN = {"own": [], "one": ["ueda"], "two": ["suzaka", "kofu"], "federation": [ALL_CO_OPS], "public": [EVERYONE]}
_KEYS = {ALL_CO_OPS: FEDERATION, EVERYONE: PUBLIC}


class Leak(AssertionError):
    """Somebody was told what is not for them."""


class History:
    """One history. `asked`: how often somebody was told something; `told`: how often that held a word of a tip or question."""

    def __init__(self, here: World, chance: random.Random) -> None:
        self.here, self.chance = here, chance
        here.begin_again()
        roles = {account: set(held) for account, held in ROLES.items()}
        self.rules = Rules(dict(LINKS), roles, set(CO_OPS))
        self.asked = self.told = self._words = 0
        self.buttons: list[str] = []
        self.log: list[str] = []

    def run(self, steps: int) -> None:
        """Do up to `steps` things at random; meanwhile somebody asks for this and that, at the end everybody does.

        Since a history may end after any step, what everybody sees after each step is looked at somewhere.
        """
        operations: list[tuple[int, Callable[[], None]]] = [
            (5, self.offer), (8, self.decide), (2, self.change), (2, self.withdraw), (3, self.undo), (1, self.a_day_goes_by),
            (1, self.link), (2, self.roles_change), (1, self.co_op_goes), (1, self.two_accounts_of_one), (3, self.ask),
            (3, self.answer), (1, self.put_question_away), (2, self.press),
        ]  # fmt: skip
        weights, every = zip(*operations, strict=True)
        self.offer()
        for _ in range(self.chance.randint(2, steps)):
            operation = self.chance.choices(every, weights)[0]
            self.log.append(operation.__name__)
            operation()
            self.expire()
            if self.chance.random() < 0.3:
                self.look(self.chance.choice([*GROUPS, *ROLES]))
        self.everybody_looks()

    # what people do

    def offer(self) -> None:
        viewer = self._somewhere()
        author = viewer if viewer in ROLES else self._anybody()
        co_op = self.here.members.own_co_op(viewer, author, group=viewer in GROUPS)
        assert co_op == self.rules.speaks_for(viewer)
        word, chosen = self._word(), self._chosen(co_op or viewer)
        tip = self.here.curation.offer(self._draft(word, chosen), author=author, conversation=viewer, co_op=co_op)
        self.rules.tips[tip.id] = ATip(tip.id, word, author, viewer, co_op, chosen)

    def decide(self) -> None:
        tip, by = self._a_tip(), self._anybody()
        action = self.chance.choice(["publish"] * 4 + ["ask_back", "decline", "merge", "postpone"])
        version = tip.version if self.chance.random() < 0.9 else tip.version - 1
        chosen = self._chosen(tip.co_op or tip.chat) if action == "publish" and self.chance.random() < 0.2 else None
        last_day = self.rules.today + 1 if action == "publish" and self.chance.random() < 0.3 else None
        into = self._a_tip()
        word = self._word()
        wanted: dict[str, Any] = {"reason": word, "into": into.id, "expires_at": self._day(last_day)}
        wanted |= {"audience": _audience(chosen)} if chosen else {}
        try:
            done = self.here.curation.decide(tip.id, version, Action(action), by, **wanted)
        except UserMistake as mistake:
            self._check(by, "an error", set(), str(mistake))
            assert action == "merge" or (chosen and self.rules.widens(tip, chosen))
            return
        if chosen and done.verdict is Verdict.DONE and self.rules.widens(tip, chosen):
            raise Leak(f"{by} publishes a tip for more people than its giver chose")
        if action == "merge" and done.verdict is Verdict.DONE and not self._knows(by, into):
            raise Leak(f"{by} learns of a tip by merging into it")
        agreed = self.rules.decided(tip, version, action, by, chosen, last_day)
        assert agreed == (done.verdict is Verdict.DONE), (self.log, tip, action, done)
        if agreed:
            tip.past.add(word)
        if done.tip is not None:
            self._check(by, "a decision", self.rules.reviewed(by), _told(done.tip))

    def change(self) -> None:
        tip, by = self._a_tip(), self._anybody()
        by = tip.author if self.chance.random() < 0.8 else by
        word, chosen = self._word(), self._chosen(tip.co_op or tip.chat)
        if self._own(tip, by, lambda: self.here.curation.change(tip.id, by, self._draft(word, chosen))):
            tip.past.add(tip.word)
            tip.word, tip.chosen, tip.state, tip.version = word, chosen, "waiting", tip.version + 1

    def withdraw(self) -> None:
        tip, by = self._a_tip(), self._anybody()
        by = tip.author if self.chance.random() < 0.8 else by
        if self._own(tip, by, lambda: self.here.curation.withdraw(tip.id, by)):
            tip.state = "withdrawn"

    def undo(self) -> None:
        tip, by = self._a_tip(), self._anybody()
        done = self.here.curation.undo(tip.id, by)
        assert (done.verdict is Verdict.DONE) == self.rules.taken_back(tip, by), (self.log, tip, done)

    def a_day_goes_by(self) -> None:
        self.here.clock.now += dt.timedelta(days=2)
        self.rules.today += 2

    def expire(self) -> None:
        self.here.curation.expire()
        self.rules.expire()

    def link(self) -> None:
        group = self.chance.choice(GROUPS)
        if self.chance.random() < 0.4 or not self.rules.co_ops:
            self.here.members.unlink(group)
            self.rules.links.pop(group, None)
            return
        self.rules.links[group] = self.chance.choice(sorted(self.rules.co_ops))
        self.here.members.link(group, self.rules.links[group])

    def roles_change(self) -> None:
        account = self._anybody()
        held = self.rules.roles[account]
        if held and self.chance.random() < 0.5:
            role, co_op = self.chance.choice(sorted(held))
            self.here.members.take(account, Grant(Role(role), co_op))
            held.discard((role, co_op))
        elif self.rules.co_ops:
            given = (self.chance.choice(["member", "coordinator", "partner"]), self.chance.choice(sorted(self.rules.co_ops)))
            self.here.members.give(account, Grant(Role(given[0]), given[1]))
            held.add(given)

    def co_op_goes(self) -> None:
        if len(self.rules.co_ops) < 2:
            return
        gone = self.chance.choice(sorted(self.rules.co_ops))
        self.here.members.remove_co_op(gone)
        self.rules.co_ops.discard(gone)
        self.rules.links = {g: c for g, c in self.rules.links.items() if c != gone}
        for held in self.rules.roles.values():
            held -= {grant for grant in held if grant[1] == gone}

    def two_accounts_of_one(self) -> None:
        one, other = "line:mika", "discord:mika"
        code = self.here.members.code(Purpose.MERGE, account=one)
        self.here.members.redeem(code, other, other, group=False)
        both = self.rules.roles[one] | self.rules.roles[other]
        self.rules.roles[one] = self.rules.roles[other] = both

    def ask(self) -> None:
        viewer = self._somewhere()
        asker = viewer if viewer in ROLES else self._anybody()
        co_op, word = self.here.members.own_co_op(viewer, asker, group=viewer in GROUPS), self._word()
        near = self.here.knowledge.answer(Question(ASKED, self._audience_of(viewer))).nearest
        self.here.questions.record(
            f"{word} {ASKED}", asker=asker, conversation=viewer, co_op=co_op, nearest=[m.passage.id for m in near]
        )
        for n in range(LEAST):  # as often as it takes to be counted
            self.here.asked.record(
                f"{word}-{n}",
                f"{word} {ASKED}",
                language="ja",
                asker=asker,
                conversation=viewer,
                co_op=co_op,
                answered=False,
                passages=[],
            )
        self.rules.questions.append(AQuestion(word, asker, viewer, co_op))

    def answer(self) -> None:
        """Somebody answers a question, by a tip of their own."""
        by = self._reviewer()
        topic = next(iter(self.here.questions.topics(by)), None)
        if topic is None:
            return
        word = self._word()
        signed = self.here.round._choice(f"?{topic.id}..answer", "answer", "ja").data
        asked = self.here.round.take(self._message(by, "", signed), "ja")
        assert asked is not None
        self._check(by, "the round", self._all_for(by), _said(asked))
        before = {t.id for t in self.here.curation.mine(by)}
        done = self.here.round.take(self._message(by, f"{word} のように、保冷剤を2枚のせます。"), "ja")
        assert done is not None
        self._check(by, "the round", self._all_for(by) | {word}, _said(done))
        (made,) = [t for t in self.here.curation.mine(by) if t.id not in before]
        # Whom the answer reaches: everybody who asked, as far as this reviewer sees them; the federation from its own reviewers.
        settled = [q for q in self.rules.questions if q.is_open and self.rules.reviews(by, q.co_op)]
        chosen = {q.co_op or q.chat for q in settled}
        if self.rules.roles[by] & {("admin", ""), ("coordinator", "")}:
            chosen.add(ALL_CO_OPS)
        # The question goes into the tip's history, where its reviewers see what was asked.
        tip = ATip(made.id, word, by, by, made.co_op, frozenset(chosen), past={q.word for q in settled})
        assert self.rules.decided(tip, 1, "publish", by, None, None) == (made.state == "published")
        self.rules.tips[made.id] = tip
        for question in settled:
            if self.rules.may_find(tip, question.chat):
                question.heard_in[tip.id] = question.chat
            elif self.rules.may_find(tip, question.asker):
                question.heard_in[tip.id] = ""

    def put_question_away(self) -> None:
        by = self._reviewer()
        for topic in self.here.questions.topics(by)[:1]:
            mark = self.chance.choice([self.here.questions.close, self.here.questions.postpone])(topic.id, by)
            if self.chance.random() < 0.5:
                self.here.questions.reopen(topic.id, mark, by)

    def press(self) -> None:
        """A button of any card there has been, pressed by anybody; the cards are one's own only as long as one may review."""
        by = self._reviewer()
        reply = self._round(by, "確認")
        self.buttons += [c.data for card in reply.cards for c in card.choices if ".publish" in c.data] if reply else []
        if not self.buttons:
            return
        data, who = self.chance.choice(self.buttons), self._anybody()
        assert self.here.round.take(self._message(who, "", f"{data[:-1]}!"), "ja") is None  # forged
        tip_id, version = data.split(".")[:2]
        reply = self.here.round.take(self._message(who, "", data), "ja")
        tip = self.rules.tips[tip_id]
        if tip.state == "waiting":  # what somebody else has settled stays as it is
            self.rules.decided(tip, int(version), "publish", who, None, None)
        if reply is not None:
            self._check(who, "the round", self._all_for(who), _said(reply))

    # what people are told

    def everybody_looks(self) -> None:
        """Everybody, but of those with the same rights and tasks one."""
        kinds: dict[object, list[str]] = {}
        for viewer in (*GROUPS, *ROLES):
            words = (self.rules.found, self.rules.given, self.rules.reviewed, self.rules.open_questions, self.rules.asked)
            kinds.setdefault(tuple(frozenset(of(viewer)) for of in words), []).append(viewer)
        for alike in kinds.values():
            self.look(self.chance.choice(alike), some=True)

    def look(self, viewer: str, *, some: bool = False) -> None:
        """Ask for everything there is (for `some` of it only), and see that only one's own comes."""
        here = self.here
        audience, found, ids = self._audience_of(viewer), self.rules.found(viewer), list(self.rules.tips)
        if not some or self.chance.random() < 0.5:
            self._check(viewer, "an answer", found, *_words_of(here.knowledge.answer(Question(ASKED, audience))))
        if not some or self.chance.random() < 0.5:
            similar = here.curation.similar(f"{ASKED} 保冷剤を2枚置くといたみませんでした。", audience)
            self._check(viewer, "similar tips", found, *(_content(t) for t, _ in similar))
        by_id = [*_words_of(here.knowledge.tell(ids, audience, "ja")), *here.knowledge.details(ids, audience)]
        self._check(viewer, "by id", found, *by_id)
        told = here.curation.attributions([t.id for t in self.rules.tips.values() if t.word in found])
        self._check(viewer, "attributions", found, *(f"{a.who} {a.where} {a.when}" for a in told.values()))
        if viewer in GROUPS:
            account = self._anybody()
            notices = here.notices.take(here.members.accounts_of(account), group=viewer)
            self._check(viewer, "notices", self.rules.heard(account, viewer), str(notices))
        else:
            self._look_alone(viewer, found)

    def _look_alone(self, viewer: str, found: set[str]) -> None:
        """What somebody sees alone with the bot: one's own tips, what one may review, what one is told in passing."""
        here, rules, check = self.here, self.rules, self._check
        check(viewer, "one's own tips", rules.given(viewer), *map(_told, here.curation.mine(viewer)))
        waiting = here.curation.queue(viewer)
        check(viewer, "the queue", rules.reviewed(viewer), *(_told(w.tip) for w in waiting))
        topics = here.questions.topics(viewer)
        check(viewer, "questions", rules.open_questions(viewer) | found, str(topics))
        asked = sum(1 for q in rules.questions if rules.reviews(viewer, q.co_op))
        if sum(t.asked for t in topics) > asked:
            raise Leak(f"{viewer} counts questions of others")
        self._look_at_the_record(viewer)
        self._look_at_the_exports()
        for tip in self.chance.sample(list(rules.tips.values()), min(2, len(rules.tips))):
            mine = {tip.word, *tip.past} if rules.may_open(tip, viewer) else set[str]()
            check(viewer, "a tip", mine, str(here.curation.history(tip.id, viewer)), str(here.curation.tip(tip.id, viewer)))
        check(viewer, "notices", rules.heard(viewer, ""), str(here.notices.take(here.members.accounts_of(viewer))))
        if (waiting or topics) and self.chance.random() < 0.5:
            self._round(viewer, "確認", len(waiting) + len(topics))

    def _look_at_the_exports(self) -> None:
        """A co-op's file, made by somebody who sees everything, holds what its members would find and have asked."""
        here, co_op = self.here, self.chance.choice(CO_OPS)
        export = Exporting(Search(here.knowledge, here.curation, TipStore(here.database)), here.curation, here.questions)
        rights = {EVERYONE, ALL_CO_OPS, co_op}
        published = (t for t in self.rules.tips.values() if t.state == "published")
        visible = [t for t in published if t.co_op == co_op or not rights.isdisjoint(t.chosen)]
        # A tip that answers a question is published with it.
        answered = {q.word for q in self.rules.questions for t in visible if q.word in t.past}
        tips = export.tips(audience_of_member(co_op))
        self._check(co_op, "the file of tips", {t.word for t in visible} | answered, *map(str, tips))
        topics = export.topics("line:admin", co_op)
        asked = [q.word for q in self.rules.questions if q.is_open and q.co_op == co_op]
        self._check(co_op, "the file of questions", set(asked), *map(str, topics))
        if sum(t.asked for t in topics) > len(asked):
            raise Leak(f"the file of {co_op} counts questions of others")

    def _look_at_the_record(self, viewer: str) -> None:
        """What was asked, read, counted and given out as a file; also by who names a co-op that is not theirs."""
        asked, mine = self.here.asked, self.rules.asked(viewer)
        anyone, named = Filters(), Filters(co_op=self.chance.choice(["", *CO_OPS]))
        self._check(viewer, "the record", set(mine), str(asked.search(viewer, anyone, 0, 10**6)))
        self._check(viewer, "a co-op's record", set(mine), str(asked.search(viewer, named, 0, 10**6)))
        self._check(viewer, "the record's file", set(mine), *asked.csv(viewer, self.chance.choice([anyone, named])))
        counts = [asked.count(viewer, anyone), *(sum(t.asked or 0 for t in asked.trends(viewer, by)) for by in By)]
        if max(counts) > LEAST * len(mine) or asked.count(viewer, named) > LEAST * len(mine):
            raise Leak(f"{viewer} counts what others asked after {self.log}")
        assert min(counts) == LEAST * len(mine), (self.log, viewer, counts)

    def _round(self, viewer: str, text: str, count: int | None = None) -> Reply | None:
        reply = self.here.round.take(self._message(viewer, text), "ja")
        if reply is not None:
            self._check(viewer, "the round", self._all_for(viewer), _said(reply))
            if count:
                assert f"{count}件あります" in reply.text, reply.text
        return reply

    def _check(self, viewer: str, where: str, allowed: set[str], *texts: str) -> None:
        words = {w for text in texts for w in _WORD.findall(text)}
        self.asked += 1
        self.told += bool(words)
        if words - allowed:
            raise Leak(f"{where}: {viewer} is told {sorted(words - allowed)} after {self.log}")

    # who, what, where

    def _all_for(self, account: str) -> set[str]:
        rules = self.rules
        return rules.found(account) | rules.reviewed(account) | rules.open_questions(account) | rules.given(account)

    def _own(self, tip: ATip, by: str, wish: Callable[[], object]) -> bool:
        """Whether somebody could do something with a tip as with their own."""
        is_own = tip.state != "withdrawn" and self.rules.is_same_person(tip.author, by)
        told = ""
        try:
            wish()
        except UserMistake as mistake:
            told = str(mistake)
        # For another's tip the very words that are said of one that never was.
        assert told == ("" if is_own else "そのコツは見つかりません。「わたしのコツ」で確かめてください。"), (self.log, tip, by)
        return is_own

    def _knows(self, account: str, tip: ATip) -> bool:
        return self.rules.may_find(tip, account) or self.rules.reviews(account, tip.co_op)

    def _draft(self, word: str, chosen: frozenset[str]) -> Draft:
        text = f"{word} 夏のお弁当は、ふたの上に保冷剤を2枚置くといたみませんでした。"
        consent = self.chance.choice(list(Consent))
        question = self.chance.choice(["", ASKED])
        return Draft(text, f"{word}市", "去年の夏", f"{word} よかった", question, consent, word, _audience(chosen))

    def _chosen(self, own: str) -> frozenset[str]:
        return frozenset(self.chance.choice(list(_CHOSEN.values())) or [own])

    def _audience_of(self, viewer: str) -> Audience:
        return self.here.members.audience(viewer, viewer if viewer in ROLES else self._anybody(), group=viewer in GROUPS)

    def _word(self) -> str:
        self._words += 1
        return f"zq{self._words}x"

    def _somewhere(self) -> str:
        return self.chance.choice([*GROUPS, *GROUPS, *ROLES])

    def _anybody(self) -> str:
        return self.chance.choice(list(ROLES))

    def _reviewer(self) -> str:
        may = [a for a, held in self.rules.roles.items() if any(role in ("admin", "coordinator") for role, _ in held)]
        return self.chance.choice(may or list(ROLES))

    def _a_tip(self) -> ATip:
        return self.chance.choice(list(self.rules.tips.values()))

    def _day(self, day: int | None) -> dt.date | None:
        return None if day is None else FixedClock().now.date() + dt.timedelta(days=day)

    def _message(self, account: str, text: str, press: str = "") -> IncomingMessage:
        return IncomingMessage(account, text, account, press=press)


def _audience(rights: Iterable[str]) -> Audience:
    return Audience.of(*(_KEYS.get(r) or (co_op_key(r) if r in CO_OPS else f"chat:{r}") for r in rights))


def _words_of(answer: Answer) -> Iterator[str]:
    """All that can be seen of an answer: what is told, what it is taken from, what is offered instead."""
    for layer in answer.layers:
        yield layer.text
    for c in answer.citations:
        yield f"{c.title} {c.source} {c.text} {c.co_op}"
    for m in (*answer.nearest, *answer.more):
        yield f"{m.document.title} {m.document.source} {m.document.facets} {m.passage.heading} {m.passage.short} {m.passage.detail}"


def _content(tip: Tip) -> str:
    """What others are shown of a tip."""
    return f"{tip.draft.text} {tip.draft.place} {tip.draft.outcome} {tip.draft.author_name}"


def _told(tip: Tip) -> str:
    return f"{_content(tip)} {tip.reason}"


def _said(reply: Reply) -> str:
    cards = (f"{card.title} {card.text} {' '.join(c.text for c in card.choices)}" for card in reply.cards)
    return " ".join([reply.text, reply.body, str(reply.answer), *cards])


def run(here: World, seeds: Iterable[int], steps: int) -> Mapping[str, int]:
    """Histories one after the other. Raises Leak, with the seed, at the first one that tells somebody too much."""
    counts = {"histories": 0, "asked": 0, "told": 0}
    for seed in seeds:
        history = History(here, random.Random(seed))
        try:
            history.run(steps)
        except AssertionError as error:
            error.add_note(f"seed {seed}, {steps} steps")
            raise
        counts["histories"] += 1
        counts["asked"] += history.asked
        counts["told"] += history.told
    return counts
