"""The rules of who may see what, written down once more from what members were promised, as small as can be.

Nothing of the bot is used here. A right is a word: `everyone`, `federation`, a co-op's id, the name of a chat.
"""

from __future__ import annotations

from dataclasses import dataclass, field

EVERYONE, FEDERATION = "everyone", "federation"
SHOWN_TO_OWN = ("waiting", "asked_back", "published")


@dataclass
class ATip:
    """A tip as the rules see it. `word` stands in its text and nowhere else."""

    id: str
    word: str
    author: str
    chat: str
    co_op: str
    chosen: frozenset[str]  # rights that find it once it is published
    state: str = "waiting"
    version: int = 1
    last_day: int | None = None
    past: set[str] = field(default_factory=set)  # words of older versions and of reasons
    undo: list[tuple[int, str, frozenset[str], int | None]] = field(default_factory=list)  # what was before each decision

    def remember(self) -> None:
        self.undo.append((self.version, self.state, self.chosen, self.last_day))


@dataclass
class AQuestion:
    """A question nobody could answer."""

    word: str
    asker: str
    chat: str
    co_op: str
    is_open: bool = True
    heard_in: dict[str, str] = field(default_factory=dict)  # answers, by id: the group that hears of them; empty: their asker alone


@dataclass
class Rules:
    """Who is who, and what there is."""

    links: dict[str, str]  # group → co-op
    roles: dict[str, set[tuple[str, str]]]  # account → roles, the same set for all accounts of a person
    co_ops: set[str]
    tips: dict[str, ATip] = field(default_factory=dict)
    questions: list[AQuestion] = field(default_factory=list)
    today: int = 0

    def rights(self, viewer: str) -> frozenset[str]:
        """What a group, or a person alone with the bot, may find."""
        own = {EVERYONE, viewer}
        if viewer in self.roles:
            inside = {(role, c) for role, c in self.roles[viewer] if role != "partner"}
            return frozenset(own | {c for _, c in inside if c} | ({FEDERATION} if inside else set()))
        return frozenset(own | ({FEDERATION, self.links[viewer]} if viewer in self.links else set()))

    def speaks_for(self, viewer: str) -> str:
        """The co-op in whose name something is told here, if it is clear."""
        if viewer not in self.roles:
            return self.links.get(viewer, "")
        mine = {c for role, c in self.roles[viewer] if c and role != "partner"}
        return mine.pop() if len(mine) == 1 else ""

    def reviews(self, account: str, co_op: str) -> bool:
        held = self.roles.get(account, set())
        return ("admin", "") in held or ("coordinator", "") in held or bool(co_op and ("coordinator", co_op) in held)

    def is_same_person(self, one: str, other: str) -> bool:
        return one == other or (one in self.roles and self.roles[one] is self.roles.get(other))

    def may_find(self, tip: ATip, viewer: str) -> bool:
        rights = self.rights(viewer)
        own = tip.co_op or tip.chat
        return (tip.state in SHOWN_TO_OWN and own in rights) or (tip.state == "published" and not rights.isdisjoint(tip.chosen))

    def may_open(self, tip: ATip, account: str) -> bool:
        gave = self.is_same_person(tip.author, account)
        return tip.state != "withdrawn" and (gave or self.reviews(account, tip.co_op))

    # the words that may stand in what somebody is told

    def found(self, viewer: str) -> set[str]:
        return {t.word for t in self.tips.values() if self.may_find(t, viewer)}

    def given(self, account: str) -> set[str]:
        own = (t for t in self.tips.values() if self.is_same_person(t.author, account) and t.state != "withdrawn")
        return {w for t in own for w in {t.word, *t.past}}

    def reviewed(self, account: str) -> set[str]:
        tips = (t for t in self.tips.values() if t.state != "withdrawn" and self.reviews(account, t.co_op))
        return {w for t in tips for w in {t.word, *t.past}}

    def open_questions(self, account: str) -> set[str]:
        return {q.word for q in self.questions if q.is_open and self.reviews(account, q.co_op)}

    def asked(self, account: str) -> list[str]:
        """The words of everything that was asked, answered or not, where somebody looks after it."""
        return [q.word for q in self.questions if self.reviews(account, q.co_op)]

    def heard(self, account: str, group: str) -> set[str]:
        """What a notice may tell a person: alone, or where others in a group hear it too."""
        gave = [t for t in self.tips.values() if self.is_same_person(t.author, account) and t.state != "withdrawn"]
        asked = [q for q in self.questions if self.is_same_person(q.asker, account)]
        settled = {i for q in asked for i, place in q.heard_in.items() if group in ("", place)}
        answers = {self.tips[i].word for i in settled if self.tips[i].state == "published"}
        return answers | {w for t in gave if group in ("", t.chat) for w in {t.word, *t.past}}

    def widens(self, tip: ATip, chosen: frozenset[str]) -> bool:
        """Whether somebody would find a tip whom its giver has not chosen."""
        if EVERYONE in tip.chosen:
            return False
        agreed = {*tip.chosen, tip.co_op or tip.chat}
        return any(r not in agreed and not (FEDERATION in tip.chosen and r != EVERYONE and ":" not in r) for r in chosen)

    # what happens to a tip

    def decided(self, tip: ATip, version: int, action: str, by: str, chosen: frozenset[str] | None, last_day: int | None) -> bool:
        """Take a decision; False where it can't be taken."""
        after = {"publish": "published", "ask_back": "asked_back", "decline": "declined", "merge": "merged"}.get(action, tip.state)
        is_open = tip.state == "waiting" or (
            tip.state in ("published", "asked_back") and (after != tip.state or action == "postpone")
        )
        if tip.state == "withdrawn" or not self.reviews(by, tip.co_op) or version != tip.version or not is_open:
            return False
        tip.remember()
        tip.state = after
        if action == "publish":
            tip.chosen = chosen or tip.chosen
            tip.last_day = tip.last_day if last_day is None else last_day
        return True

    def taken_back(self, tip: ATip, by: str) -> bool:
        if tip.state == "withdrawn" or not self.reviews(by, tip.co_op) or not tip.undo or tip.undo[-1][0] != tip.version:
            return False
        _, tip.state, tip.chosen, tip.last_day = tip.undo.pop()
        return True

    def expire(self) -> None:
        for tip in self.tips.values():
            if tip.state == "published" and tip.last_day is not None and tip.last_day < self.today:
                tip.remember()
                tip.state = "expired"
