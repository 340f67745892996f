"""What has been told so far, to whom: read from the rows of announcements, their runs and deliveries."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Callable, Sequence

import sqlalchemy as sa

from bot.announcing.announcement import Announcement, State
from bot.announcing.chats import co_ops_of
from bot.announcing.knowledge_of import Announced
from bot.announcing.schedule import announcement_of
from bot.announcing.tables import Status, announcements, deliveries, runs, utc
from bot.announcing.times import Occasion
from bot.members import chat_key, co_op_key, co_ops, linked_chats
from knowledge import FEDERATION, Audience, Database

_TOLD = (State.SENDING.value, State.DONE.value)
_SHOWN = (Status.SENT.value, Status.EDITING.value)
_MOST_CHATS = 100
_MOST_DELIVERIES = 300  # of one chat, the latest, among which a quoted message is looked for
_LOOKED_BACK = dt.timedelta(days=400)


class Told:
    """Calling it gives everything that has left and was not withdrawn, of a bit more than a year.

    Rows are read again only where an announcement has changed; the same list comes back until then.
    """

    def __init__(self, database: Database, clock: Callable[[], dt.datetime]) -> None:
        self._db = database
        self._clock = clock
        self._read: tuple[Sequence[object], Sequence[Announced]] = ((), ())

    def __call__(self) -> Sequence[Announced]:
        since = self._clock().astimezone(dt.UTC) - _LOOKED_BACK
        held = announcements.c.state.in_(_TOLD) & (announcements.c.made_at > since)
        columns = (announcements.c.id, announcements.c.version, announcements.c.state)
        with self._db.read() as c:
            marks = c.execute(sa.select(*columns).where(held).order_by(announcements.c.id)).all()
            if marks != self._read[0]:
                self._read = marks, _announced(c, held)
        return self._read[1]

    def of(self, announcement_id: str) -> Announced | None:
        """One of them, however old."""
        held = announcements.c.state.in_(_TOLD) & (announcements.c.id == announcement_id)
        with self._db.read() as c:
            return next(iter(_announced(c, held)), None)

    def whatever(self, announcement_id: str) -> Announcement | None:
        """An announcement in any state, for who holds its signed address or is at the command line."""
        with self._db.read() as c:
            row = c.execute(sa.select(announcements).where(announcements.c.id == announcement_id)).first()
        return announcement_of(row) if row else None

    def is_withdrawn(self, announcement_id: str) -> bool:
        with self._db.read() as c:
            state = c.scalar(sa.select(announcements.c.state).where(announcements.c.id == announcement_id))
        return bool(state == State.WITHDRAWN.value)

    def pictures(self) -> set[str]:
        """The names of all pictures that announcements have, drafts too; of those withdrawn none."""
        picture = announcements.c.content["picture"].as_string()
        query = sa.select(picture).where(announcements.c.state != State.WITHDRAWN.value, picture != "").distinct()
        with self._db.read() as c:
            return set(c.scalars(query))

    def carried_by(self, platform: str, message_id: str, chats: Sequence[str]) -> str | None:
        """The announcement that a message in one of these chats carried; None for any other message."""
        mine = deliveries.c.conversation.in_(chats) & (deliveries.c.platform == platform) & deliveries.c.state.in_(_SHOWN)
        query = sa.select(deliveries.c.announcement, deliveries.c.message_ids).where(mine)
        query = query.order_by(deliveries.c.sent_at.desc(), deliveries.c.id).limit(_MOST_DELIVERIES)
        with self._db.read() as c:
            found = [(row.announcement, list(row.message_ids)) for row in c.execute(query) if message_id in row.message_ids]
        if not found:
            return None
        # What rode on one reply has the ids of all its messages, as many for each and in the order of the rows.
        ids = found[0][1]
        announcement: str = found[ids.index(message_id) * len(found) // len(ids)][0]
        return announcement


def _announced(c: sa.Connection, held: sa.ColumnElement[bool]) -> list[Announced]:
    found = [announcement_of(r) for r in c.execute(sa.select(announcements).where(held).order_by(announcements.c.id))]
    if not found:
        return []
    of = sa.select(announcements.c.id).where(held)
    began, corrected = _runs(c, of)
    chats = _chats(c, found, of)
    names = dict(c.execute(sa.select(co_ops.c.id, co_ops.c.name)).all())
    return [
        Announced(a, _audience(c, a, chats[a.id]), began[a.id], corrected.get(a.id), names.get(a.co_op, ""))
        for a in found
        if a.id in began
    ]


def _runs(c: sa.Connection, of: sa.Select[tuple[str]]) -> tuple[dict[str, dt.datetime], dict[str, dt.datetime]]:
    """When each announcement first left, and when it was last corrected."""
    columns = (runs.c.announcement, runs.c.occasion, runs.c.fanned_at)
    began, corrected = dict[str, dt.datetime](), dict[str, dt.datetime]()
    query = sa.select(*columns).where(runs.c.announcement.in_(of), runs.c.fanned_at.is_not(None)).order_by(runs.c.fanned_at)
    for row in c.execute(query):
        if row.occasion == Occasion.CORRECTION.value:
            corrected[row.announcement] = utc(row.fanned_at)
        elif row.occasion != Occasion.TEST.value:
            began.setdefault(row.announcement, utc(row.fanned_at))
    return began, corrected


def _chats(c: sa.Connection, told: Sequence[Announcement], of: sa.Select[tuple[str]]) -> dict[str, list[str]]:
    """The chats each goes to that are not found by their co-op: they have none, or were chosen singly. A trial is nobody's."""
    chosen = sorted({chat for a in told for chat in a.selection.chats})
    query = (
        sa.select(deliveries.c.announcement, deliveries.c.conversation)
        .join(runs, runs.c.id == deliveries.c.run)
        .join(linked_chats, linked_chats.c.conversation == deliveries.c.conversation, isouter=True)
        .where(deliveries.c.announcement.in_(of), runs.c.occasion != Occasion.TEST.value)
        .where(linked_chats.c.co_op.is_(None) | deliveries.c.conversation.in_(chosen))
        .distinct()
        .order_by(deliveries.c.announcement, deliveries.c.conversation)
    )
    found = defaultdict[str, list[str]](list)
    for row in c.execute(query):
        found[row.announcement].append(row.conversation)
    return found


def _audience(c: sa.Connection, told: Announcement, chats: list[str]) -> Audience:
    """Whom it was for: the co-ops that are meant, and single chats."""
    # Each key has an index of its own, so there is an end to them; more chats without a co-op have the message itself.
    keys = set(map(chat_key, chats[:_MOST_CHATS]))
    if told.selection.everyone:
        keys.add(co_op_key(told.co_op) if told.co_op else FEDERATION)
    else:
        meant = co_ops_of(told.selection, c)
        keys.update(co_op_key(i) for i in meant if told.co_op in ("", i))
    return Audience(frozenset(keys))
