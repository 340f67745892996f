"""Names and passwords of the desk: what they may be, how a password is kept, and how many wrong ones there may be."""

from __future__ import annotations

import datetime as dt
import hashlib
import re
import threading
import unicodedata
from collections.abc import Callable, Mapping

import sqlalchemy as sa
from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from bot.desk.refusals import Refused
from bot.store import metadata
from knowledge import Database

_LEAST, _MOST, _WORDS = 12, 200, 3
_LEAST_DIFFERENT = 5  # characters
_LEAST_WORD = 2
_NAME_FROM, _NAME_TO = 2, 40
_WITHIN = dt.timedelta(minutes=15)
_IN_NAMES = set(" ・-'.’")
# Runs along the alphabet, the digits and the keyboard, and words that people who must use 12 characters put digits behind.
_RUNS = ("abcdefghijklmnopqrstuvwxyz", "01234567890123456789", "qwertyuiopasdfghjklzxcvbnm", "1qaz2wsx3edc4rfv5tgb6yhn7ujm")
_EXAMPLES = {"朝市みかん自転車", "marketorangebicycle"}  # the desk shows these
_COMMON = re.compile(
    r"(password|passw0rd|pass|admin|administrator|kanri|kanrisha|login|welcome|iloveyou|sakura|doraemon|pokemon|roukyou|rokyo|yui|"
    r"letmein|monkey|dragon|sunshine|princess|football|baseball|qwerty|asdfgh|zxcvbn|changeme|himitsu|aikotoba|"
    r"パスワード|ぱすわーど|あいことば|合言葉|ひみつ|秘密|管理者|労協|組合)+"
)

# 19 MB and two passes: the least that is recommended for argon2id, and what a machine with 1 GB can give twice at once.
_HASHER = PasswordHasher(time_cost=2, memory_cost=19_456, parallelism=1)
_AT_ONCE = threading.Semaphore(2)
_NOBODYS = _HASHER.hash("nobody has this password")

attempts = sa.Table(
    "desk_attempts",
    metadata,
    sa.Column("subject", sa.String(80), primary_key=True),
    sa.Column("failed", sa.Integer, nullable=False),
    sa.Column("since", sa.DateTime(timezone=True), nullable=False),
)


def tidy_name(name: str) -> str:
    """A name as it is kept. Raises Refused for one that cannot be."""
    kept = " ".join(unicodedata.normalize("NFKC", name).split())
    if not _NAME_FROM <= len(kept) <= _NAME_TO:
        raise Refused("name_short")
    if not all(c in _IN_NAMES or unicodedata.category(c)[0] in "LMN" for c in kept) or not any(c.isalnum() for c in kept):
        raise Refused("name_letters")
    return kept


def folded(text: str) -> str:
    """What makes two names the same: neither case nor width nor spaces."""
    return "".join(unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold()).split())


def check(password: str, name: str) -> None:
    """Raises Refused for a password that is too short, too long, the name, or easily guessed."""
    plain = _plain(password)
    words = {w for w in re.split(r"[\s\-_、。・]+", plain.casefold()) if len(w) >= _LEAST_WORD}
    if len(plain) > _MOST:
        raise Refused("password_long")
    if len(plain) < _LEAST and len(words) < _WORDS:
        raise Refused("password_short")
    rest = folded(plain).replace(folded(name), "")
    if folded(name) in folded(plain) and len(rest) < _LEAST // 2:
        raise Refused("password_name")
    if _is_common(folded(plain)):
        raise Refused("password_common")


def kept(password: str) -> str:
    """What is kept of a password."""
    with _AT_ONCE:
        return _HASHER.hash(_plain(password))


def matches(digest: str | None, password: str) -> bool:
    """Whether this is the password. With None the same work is done for nothing, so that time does not tell who there is."""
    plain = _plain(password)
    with _AT_ONCE:
        try:
            _HASHER.verify(digest or _NOBODYS, plain[:_MOST])
        except (VerificationError, InvalidHashError):
            return False
    return digest is not None and len(plain) <= _MOST


def outdated(digest: str) -> bool:
    """Whether it was kept with other costs than today's."""
    return _HASHER.check_needs_rehash(digest)


class Attempts:
    """Wrong tries by subject within a quarter of an hour. One is counted before it is looked at: many at once are no way round."""

    def __init__(self, database: Database, clock: Callable[[], dt.datetime]) -> None:
        self._db = database
        self._clock = clock

    def begin(self, most: Mapping[str, int]) -> bool:
        """Count a try for each subject. False where one of them has used up what it may."""
        subjects = {_subject(s): n for s, n in most.items()}
        with self._db.write() as c:
            c.execute(sa.delete(attempts).where(attempts.c.since <= self._now() - _WITHIN))
        counted = [self._count(s) <= n for s, n in subjects.items()]  # all of them, whatever comes of the first
        return all(counted)

    def end(self, forgiven: str, one_less: str) -> None:
        """It was right: all tries of one subject are forgotten, of the other this one."""
        with self._db.write() as c:
            c.execute(sa.delete(attempts).where(attempts.c.subject == _subject(forgiven)))
            fewer = sa.update(attempts).where(attempts.c.subject == _subject(one_less), attempts.c.failed > 0)
            c.execute(fewer.values(failed=attempts.c.failed - 1))

    def _count(self, subject: str) -> int:
        mine = attempts.c.subject == subject
        for _ in range(3):  # somebody else may have put the row in at the same moment
            try:
                with self._db.write() as c:
                    if not c.execute(sa.update(attempts).where(mine).values(failed=attempts.c.failed + 1)).rowcount:
                        c.execute(sa.insert(attempts).values(subject=subject, failed=1, since=self._now()))
                    return int(c.scalar(sa.select(attempts.c.failed).where(mine)) or 0)
            except sa.exc.IntegrityError:
                continue
        return 0

    def _now(self) -> dt.datetime:
        return self._clock().astimezone(dt.UTC)


def _plain(password: str) -> str:
    """As somebody with a Japanese keyboard may type it: full width or not, with spaces around it."""
    return unicodedata.normalize("NFKC", password).strip()


def _subject(told: str) -> str:
    kind, _, what = told.partition(":")
    return f"{kind}:{hashlib.sha256(what.encode('utf-8', 'replace')).hexdigest()}"


def _is_common(folded_password: str) -> bool:
    letters = re.sub(r"[^\w]|_", "", folded_password)
    if len(set(letters)) < _LEAST_DIFFERENT or letters in _EXAMPLES:
        return True
    without_digits = re.sub(r"\d", "", letters)
    if _COMMON.fullmatch(without_digits) or _COMMON.fullmatch(letters):
        return True
    return _run_length(letters) >= len(letters) - 3


def _run_length(letters: str) -> int:
    """How many characters follow each other as they do in a well-known run, in either direction."""
    pairs = {run[i : i + 2] for whole in _RUNS for run in (whole, whole[::-1]) for i in range(len(run) - 1)}
    return 1 + sum(letters[i : i + 2] in pairs for i in range(len(letters) - 1))
