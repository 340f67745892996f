"""What time it is, in Japan; for trials, from another day on and faster."""

from __future__ import annotations

import datetime as dt
import time
from zoneinfo import ZoneInfo

JAPAN = ZoneInfo("Asia/Tokyo")


class Clock:
    """Calling it gives the time, aware of its zone."""

    def __init__(self, start: dt.datetime | None = None, speed: float = 1.0) -> None:
        self._began = time.monotonic()
        self._start = start.replace(tzinfo=start.tzinfo or JAPAN) if start else None
        self._speed = speed

    def __call__(self) -> dt.datetime:
        if self._start is None:
            return dt.datetime.now(JAPAN)
        return self._start + dt.timedelta(seconds=(time.monotonic() - self._began) * self._speed)
