"""How the bot is called by its name: @name, or a command word at the beginning."""

from __future__ import annotations

import re
import unicodedata

# What may follow /, half- or full-width, beside the bot's names.
COMMAND_WORDS = ("質問", "ask")
_AFTER = r"[、,:：。!?\s]"


class Names:
    """The names that count as the bot's."""

    def __init__(self, names: tuple[str, ...]) -> None:
        kept = [unicodedata.normalize("NFKC", n) for n in sorted(names, key=len, reverse=True)]
        # A name of one letter may begin a person's: @結衣 is somebody else.
        told = "|".join(re.escape(n) + ("" if len(n) > 1 else rf"(?=さん|{_AFTER}|[^\w]|$)") for n in kept)
        words = "|".join(re.escape(n) for n in sorted((*kept, *COMMAND_WORDS), key=len, reverse=True))
        calls = [
            rf"(?<![A-Za-z0-9._%+-])@(?:{told})(?:さん)?{_AFTER}*",
            rf"^\s*/(?:{words})(?:さん)?(?:{_AFTER}+|$)",
        ]
        if long_names := "|".join(re.escape(n) for n in kept if len(n) > 1):
            # Two letters or more may open a message without a sign: 「ボット、…」. One alone (「結、…」) may be a person.
            calls.append(rf"^\s*(?:{long_names})(?:[、,:]|さん[、,:\s])\s*")
        self._call = re.compile("|".join(calls), re.IGNORECASE)

    def call(self, text: str) -> bool:
        """Whether a message calls the bot."""
        return bool(self._call.search(unicodedata.normalize("NFKC", text)))

    def without_call(self, text: str) -> str:
        """The message without the call; as it was written where there is none."""
        plain = unicodedata.normalize("NFKC", text)
        return self._call.sub("", plain).strip() if self._call.search(plain) else text.strip()
