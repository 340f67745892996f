"""The places announcements can go to, how many people are in them, and which of them a selection means."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import sqlalchemy as sa

from bot.announcing.announcement import Selection
from bot.announcing.senders import Shape
from bot.announcing.tables import Status, chat_members, chats, deliveries, insert, utc
from bot.members import Members, co_ops, linked_chats
from bot.store import groups
from knowledge import Database, prefecture_in

_LINE = "line"


@dataclass(frozen=True, slots=True)
class Chat:
    """`people`: whom a push is charged for; None where nobody has asked yet. `alone`: one person with the bot."""

    conversation: str
    platform: str
    address: str
    shape: Shape
    co_op: str = ""
    title: str = ""
    alone: bool = False
    people: int | None = None


class Chats:
    """Every method is one short transaction."""

    def __init__(self, database: Database, members: Members, clock: Callable[[], dt.datetime]) -> None:
        self._db = database
        self._members = members
        self._clock = clock

    def known(self, conversation: str, platform: str, address: str, shape: Shape, title: str = "", *, alone: bool = False) -> None:
        """Announcements can go there from now on. LINE's groups need not be told: the bot is in them."""
        values = {"platform": platform, "address": address, "shape": shape.value, "title": title[:200], "alone": alone}
        with self._db.write() as c:
            put = insert(c)(chats).values(conversation=conversation, since=self._now(), **values)
            c.execute(put.on_conflict_do_update(index_elements=[chats.c.conversation], set_=values))

    def gone(self, conversation: str) -> None:
        """Left, blocked or deleted."""
        with self._db.write() as c:
            gone_within(c, [conversation])

    forget = gone  # somebody alone with the bot: the chat has the person's name

    def counted(self, people: Mapping[str, int]) -> None:
        """How many people a platform counts in some chats. A chat that was left while it was asked stays forgotten."""
        if not people:
            return
        rows = [{"conversation": c, "people": n, "asked_at": self._now()} for c, n in people.items()]
        with self._db.write() as c:
            put = insert(c)(chat_members)
            new = {"people": put.excluded.people, "asked_at": put.excluded.asked_at}
            c.execute(put.on_conflict_do_update(index_elements=[chat_members.c.conversation], set_=new), rows)
            known = sa.union(*(sa.select(t.c.conversation).where(t.c.conversation.in_(people)) for t in (groups, chats)))
            if left := set(people) - set(c.scalars(known)):
                c.execute(sa.delete(chat_members).where(chat_members.c.conversation.in_(left)))

    def uncounted(self, platform: str, before: dt.datetime, most: int) -> list[Chat]:
        """Chats of which nobody has asked since then how many people they have."""
        with self._db.read() as c:
            rows = c.execute(_every(platform).where(_asked_before(before)).limit(most)).all()
        return [_chat(row) for row in rows]

    def all(self) -> list[Chat]:
        with self._db.read() as c:
            return [_chat(row) for row in c.execute(_every()).all()]

    def selected(self, selection: Selection, co_op: str = "", c: sa.Connection | None = None) -> list[Chat]:
        """The chats a selection means, each once. `co_op`: only that co-op's."""
        if c is None:
            with self._db.read() as own:
                return self.selected(selection, co_op, own)
        wanted = co_ops_of(selection, c)
        found = []
        for row in c.execute(_every()):
            if selection.platforms and row.platform not in selection.platforms:
                continue
            if co_op and row.co_op != co_op:
                continue
            if selection.everyone or row.conversation in selection.chats or (row.co_op and row.co_op in wanted):
                found.append(_chat(row))
        return found

    def _now(self) -> dt.datetime:
        return self._clock().astimezone(dt.UTC)


def gone_within(c: sa.Connection, conversations: Sequence[str]) -> None:
    """`Chats.gone` as a part of somebody else's transaction. What still waits for these chats has failed; calls under way end by
    themselves."""
    c.execute(sa.delete(chats).where(chats.c.conversation.in_(conversations)))
    c.execute(sa.delete(chat_members).where(chat_members.c.conversation.in_(conversations)))
    waits = deliveries.c.conversation.in_(conversations) & (deliveries.c.state == Status.WAITING)
    c.execute(sa.update(deliveries).where(waits).values(state=Status.FAILED, why="gone", held_until=0.0))


def co_ops_of(selection: Selection, c: sa.Connection) -> set[str]:
    """Every facet that is given must be met by one of its values; co-ops that are named count as they are."""
    named = set(selection.co_ops)
    if not (selection.prefectures or selection.fields or selection.partners):
        return named
    prefectures = {prefecture_in(p) or p for p in selection.prefectures}
    rows = c.execute(sa.select(co_ops.c.id, co_ops.c.place, co_ops.c.fields, co_ops.c.partners))
    return named | {
        row.id
        for row in rows
        if (not prefectures or prefecture_in(row.place) in prefectures)
        and (not selection.fields or set(selection.fields) & set(row.fields))
        and (not selection.partners or set(selection.partners) & set(row.partners))
    }


def _every(platform: str = "") -> sa.Select[tuple[object, ...]]:
    """Every place with its co-op and its people, in a fixed order."""
    of_line = sa.select(
        groups.c.conversation,
        groups.c.platform,
        groups.c.address,
        sa.literal(Shape.CHAT.value).label("shape"),
        sa.literal("").label("title"),
        sa.false().label("alone"),
    ).where(groups.c.platform == _LINE, groups.c.conversation.not_in(sa.select(chats.c.conversation)))
    others = sa.select(chats.c.conversation, chats.c.platform, chats.c.address, chats.c.shape, chats.c.title, chats.c.alone)
    place = sa.union_all(of_line, others).subquery("place")
    query = (
        sa.select(place, linked_chats.c.co_op, chat_members.c.people)
        .join(linked_chats, linked_chats.c.conversation == place.c.conversation, isouter=True)
        .join(chat_members, chat_members.c.conversation == place.c.conversation, isouter=True)
        .order_by(place.c.conversation)
    )
    return query.where(place.c.platform == platform) if platform else query


def _asked_before(moment: dt.datetime) -> sa.ColumnElement[bool]:
    return chat_members.c.asked_at.is_(None) | (chat_members.c.asked_at < utc(moment))


def _chat(row: sa.Row[tuple[object, ...]]) -> Chat:
    told = row._mapping
    return Chat(
        told["conversation"],
        told["platform"],
        told["address"],
        Shape(told["shape"]),
        told["co_op"] or "",
        told["title"],
        bool(told["alone"]),
        told["people"],
    )
