"""What can go wrong in the bot.

BotError
└── UserMistake     its text is shown to the person who made it
"""


class BotError(Exception):
    """Something failed. The message is one sentence: what, and what to do."""


class UserMistake(BotError):
    """A person asked for something that cannot be done; the text says so kindly and tells what to do."""
