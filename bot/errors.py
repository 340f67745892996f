"""What can go wrong in the bot.

BotError
└── UserMistake     its text is shown to the person who made it

What the knowledge raises is named here too, for adapters, which see the bot alone.
"""

from knowledge import KnowledgeError, StoreUnavailable

__all__ = ["BotError", "KnowledgeError", "StoreUnavailable", "UserMistake"]


class BotError(Exception):
    """Something failed. The message is one sentence: what, and what to do."""


class UserMistake(BotError):
    """A person asked for something that cannot be done; the text says so kindly and tells what to do."""
