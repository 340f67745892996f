"""Work that takes longer than a page waits: it goes on by itself, tells how far it is, and can be left and come back to."""

from __future__ import annotations

import logging
import threading
from collections import deque
from collections.abc import Callable
from typing import Generic, TypeVar

from bot.errors import BotError
from knowledge import KnowledgeError

log = logging.getLogger(__name__)

Step = TypeVar("Step")
Result = TypeVar("Result")
_TROUBLE = "It failed unexpectedly: run `yui doctor`."


class Work(Generic[Step, Result]):
    """One kind of work, once at a time in this process. What it came to is kept until it is started again or the process ends."""

    def __init__(self, kept: int = 200) -> None:
        """`kept`: how many of its latest steps are remembered."""
        self._steps: deque[Step] = deque(maxlen=kept)
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        self.result: Result | None = None
        self.trouble: Exception | None = None

    @property
    def going_on(self) -> bool:
        return self._thread is not None and self._thread.is_alive()

    @property
    def was_started(self) -> bool:
        return self._thread is not None

    @property
    def steps(self) -> list[Step]:
        return list(self._steps.copy())

    def start(self, job: Callable[[Callable[[Step], None]], Result]) -> bool:
        """Begin; `job` is given a function to which it tells its steps. False where it is under way already."""
        with self._lock:
            if self.going_on:
                return False
            self._steps.clear()
            self.result = self.trouble = None
            self._thread = threading.Thread(target=self._run, args=(job,), name="desk work", daemon=True)
            self._thread.start()
            return True

    def wait(self, seconds: float) -> None:
        """Until it has ended, at most so long."""
        if self._thread is not None:
            self._thread.join(seconds)

    def _run(self, job: Callable[[Callable[[Step], None]], Result]) -> None:
        try:
            self.result = job(self._steps.append)
        except (BotError, KnowledgeError) as error:
            self.trouble = error
        except Exception as error:
            # The class alone: an exception's text may carry what a member wrote.
            log.error("work at the desk failed with %s", type(error).__name__)
            self.trouble = BotError(_TROUBLE)
