"""Pictures of announcements: checked, made small enough for every platform, kept under a name that tells nothing."""

from __future__ import annotations

import io
import re
import secrets
import time
import warnings
from collections.abc import Callable, Set
from pathlib import Path

from PIL import Image, ImageOps, UnidentifiedImageError

from bot.errors import UserMistake

LARGEST = 10 * 2**20  # bytes
_LARGEST_KEPT = 900_000  # bytes: LINE's previews may have a megabyte
_MOST_PIXELS = 50_000_000
_SIDES = (1_600, 1_200, 800)  # pixels of the longer side, tried in turn
_KEPT = 24 * 3600  # seconds without an announcement: long enough to write one
_NAME = re.compile(r"[A-Za-z0-9_-]{22}\.jpg")


class Pictures:
    def __init__(self, folder: Path, public_url: str) -> None:
        self._folder = folder
        self._public_url = public_url

    def keep(self, data: bytes) -> str:
        """The name under which it is kept, upright and without what a camera adds (place, time). Raises UserMistake."""
        if len(data) > LARGEST:
            raise UserMistake(f"写真は10MBまでです(いま{len(data) / 2**20:.0f}MB)。小さくして、もう一度お願いします。")
        small = _small(_opened(data))
        name = f"{secrets.token_urlsafe(16)}.jpg"
        self._folder.mkdir(parents=True, exist_ok=True)
        (self._folder / name).write_bytes(small)
        return name

    def tidy(self, in_use: Callable[[], Set[str]]) -> None:
        """Remove what is older than a day and in no announcement: left out of a draft, replaced, withdrawn."""
        old = [f for f in self._kept() if time.time() - f.stat().st_mtime > _KEPT]
        if old:
            used = in_use()
            for file in old:
                if file.name not in used:
                    file.unlink(missing_ok=True)

    def _kept(self) -> list[Path]:
        return [f for f in self._folder.iterdir() if _NAME.fullmatch(f.name)] if self._folder.is_dir() else []

    def path(self, name: str) -> Path | None:
        """The file of a kept picture."""
        file = self._folder / name
        return file if _NAME.fullmatch(name) and file.is_file() else None

    def address(self, name: str) -> str:
        """Where a platform fetches it; empty where this bot has no public https address."""
        return f"{self._public_url}/pictures/{name}" if self._public_url.startswith("https://") and self.path(name) else ""

    def flaws(self, name: str) -> list[str]:
        return ["この写真はありません。もう一度選んでください。"] if name and self.path(name) is None else []


def _opened(data: bytes) -> Image.Image:
    wrong = UserMistake("写真はJPEGかPNGにしてください。")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            found = Image.open(io.BytesIO(data), formats=("JPEG", "PNG"))
            if found.width * found.height > _MOST_PIXELS:
                raise UserMistake("写真の縦横が大きすぎます。小さくして、もう一度お願いします。")
            found.draft("RGB", (_SIDES[0], _SIDES[0]))  # a large JPEG is read small: less memory
            upright = ImageOps.exif_transpose(found)
            return upright.convert("RGB") if upright.mode in ("RGB", "L") else _on_white(upright)
    except (UnidentifiedImageError, OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        raise wrong from error
    except Image.DecompressionBombWarning as error:
        raise UserMistake("写真の縦横が大きすぎます。小さくして、もう一度お願いします。") from error


def _on_white(picture: Image.Image) -> Image.Image:
    shown = picture.convert("RGBA")
    ground = Image.new("RGBA", shown.size, "white")
    ground.alpha_composite(shown)
    return ground.convert("RGB")


def _small(picture: Image.Image) -> bytes:
    """As JPEG, of less than a megabyte."""
    for side in _SIDES:
        for quality in (85, 70):
            shown = picture.copy()
            shown.thumbnail((side, side))
            out = io.BytesIO()
            shown.save(out, "JPEG", quality=quality, optimize=True)
            if out.tell() <= _LARGEST_KEPT:
                return out.getvalue()
    raise UserMistake("写真が細かすぎて小さくできません。別の写真にしてください。")
