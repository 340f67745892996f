"""What cannot be done with a tip, said in the language of whoever wished it."""

from __future__ import annotations

from bot import wording
from bot.errors import UserMistake


class TipMistake(UserMistake):
    """A wish about a tip that cannot be. As text it is Japanese; `said` gives the other languages."""

    def __init__(self, key: str, **values: str) -> None:
        """`key`: of the catalogues, without `mistake_`."""
        self._key, self._values = key, values
        super().__init__(self.said("ja"))

    def said(self, language: str) -> str:
        labels = {"ask_back": wording.say("round_ask_back", language), "own": wording.say("offer_say_own", language)}
        return wording.say(f"mistake_{self._key}", language, **labels | self._values)


def refusal(mistake: UserMistake, language: str) -> str:
    """What a service refuses, in a language where it has it."""
    return mistake.said(language) if isinstance(mistake, TipMistake) else str(mistake)
