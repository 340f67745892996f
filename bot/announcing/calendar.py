"""An announcement's event, or a grant's deadline, as a calendar file (.ics, RFC 5545) that phones take in."""

from __future__ import annotations

import datetime as dt

import icalendar

from bot.announcing.announcement import Announcement, State, local

MEDIA_TYPE = "text/calendar; charset=utf-8"
_WITHDRAWN = "取りやめになったお知らせ"


def ics(announcement: Announcement, address: str = "") -> bytes | None:
    """The file, or None where the announcement has no day. `address`: its page.

    The UID stays the same through all versions, SEQUENCE grows with them, so that a phone changes the entry it has; a withdrawn
    announcement keeps its day alone and is CANCELLED.
    """
    days = _days(announcement)
    if days is None:
        return None
    content, withdrawn = announcement.content, announcement.state is State.WITHDRAWN
    event = icalendar.Event.new(
        uid=f"{announcement.id}@yui",
        sequence=announcement.version,
        stamp=announcement.changed_at.astimezone(dt.UTC),
        created=announcement.made_at.astimezone(dt.UTC),
        last_modified=announcement.changed_at.astimezone(dt.UTC),
        start=days[0],
        end=days[1],
        status=icalendar.STATUS.CANCELLED if withdrawn else icalendar.STATUS.CONFIRMED,
        summary=_WITHDRAWN if withdrawn else _summary(announcement),
        description=None if withdrawn else content.text or None,
        location=None if withdrawn or not content.event else content.event.place or None,
        url=None if withdrawn else address or None,
    )
    calendar = icalendar.Calendar.new(
        prodid="-//Yui//Announcements//JA", language="ja", method="CANCEL" if withdrawn else "PUBLISH"
    )
    calendar.add_component(event)
    calendar.add_missing_timezones(days[0] if isinstance(days[0], dt.datetime) else dt.date(1970, 1, 1))
    return bytes(calendar.to_ical())


def _summary(announcement: Announcement) -> str:
    return announcement.content.title if announcement.content.event else f"締切: {announcement.content.title}"


def _days(announcement: Announcement) -> tuple[dt.date, dt.date | None] | None:
    """When it begins and ends: moments in Japan for an event, the whole day of a deadline."""
    event, grant = announcement.content.event, announcement.content.grant
    if event is not None:
        return local(event.starts), local(event.ends) if event.ends else None
    if grant is not None:
        return grant.deadline, grant.deadline + dt.timedelta(days=1)
    return None
