"""Signed ids: a button carries exactly the answer it belongs to, and nobody can make one up."""

from __future__ import annotations

import base64
import hashlib
import hmac
import os
import secrets
from pathlib import Path

from bot.errors import UserMistake


class Signer:
    """Signs short ids. `purpose` keeps a signature for one use from serving another."""

    def __init__(self, key: bytes) -> None:
        self._key = key

    def sign(self, purpose: str, value: str) -> str:
        return f"{value}.{self._signature(purpose, value)}"

    def verify(self, purpose: str, signed: str) -> str | None:
        """The value, or None for a signature that is not ours."""
        value, _, signature = signed.rpartition(".")
        expected = self._signature(purpose, value)
        return value if hmac.compare_digest(signature.encode(), expected.encode()) else None

    def pseudonym(self, platform: str, identifier: str) -> str:
        """The name under which a person or a chat of a platform is known here; it does not lead back without the key."""
        return f"{platform}:{self._signature('pseudonym', f'{platform}:{identifier}')}"

    def _signature(self, purpose: str, value: str) -> str:
        digest = hmac.new(self._key, f"{purpose}:{value}".encode(), hashlib.sha256).digest()
        return base64.urlsafe_b64encode(digest[:18]).decode()


def load_key(folder: Path) -> bytes:
    """The key kept in the data folder, made at the first start, readable by this user only."""
    file = folder / "secret.key"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if not file.exists():
            descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(descriptor, "wb") as out:
                out.write(secrets.token_bytes(32))
        return file.read_bytes()
    except OSError as error:
        raise UserMistake(f"The data folder {folder} cannot be written: give this user the right, or set YUI_DATA_DIR.") from error
