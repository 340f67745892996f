"""How the bot is called by its name: @name, or a command word at the beginning."""

from __future__ import annotations

import re

# What may follow /, half- or full-width, beside the bot's names.
COMMAND_WORDS = ("質問", "ask")


class Names:
    """The names that count as the bot's."""

    def __init__(self, names: tuple[str, ...]) -> None:
        told = "|".join(re.escape(n) for n in sorted(names, key=len, reverse=True))
        words = "|".join(re.escape(n) for n in sorted((*names, *COMMAND_WORDS), key=len, reverse=True))
        end = r"(?:さん)?(?:[、,:：\s]+|$)"
        # Two letters or more may open a message without a sign: 「ボット、…」. One alone (「結、…」) may be a person.
        long_names = "|".join(re.escape(n) for n in names if len(n) > 1)
        opening = rf"|^(?:{long_names})(?:さん)?[、,:：]\s*" if long_names else ""
        self._call = re.compile(
            rf"(?:^|(?<=\s))[@＠](?:{told})(?:さん)?[、,:：\s]*|^\s*[/／](?:{words}){end}{opening}", re.IGNORECASE
        )

    def call(self, text: str) -> bool:
        """Whether a message calls the bot."""
        return bool(self._call.search(text))

    def without_call(self, text: str) -> str:
        return self._call.sub("", text).strip()
