"""Whom a message is for while a tip is told: the talk, the others in the group, or another part of the bot."""

from __future__ import annotations

from bot.intents import Intent, recognise
from bot.tips.chat import Here
from bot.tips.pieces import adds, correction, is_sentence, tells_outcome
from bot.tips.state import PIECES, Step, Talk
from bot.tips.steps import chosen_early, goes_on
from bot.tips.words import (
    Word,
    asks_about_sharing,
    has_another,
    is_about_tomorrow,
    is_for_people,
    is_interjection,
    is_question,
    only_asks,
    says,
    wants_removed,
)

# What is never a piece of a tip: others answer it, and the talk goes on waiting.
_OTHERS = frozenset(
    {
        *(Intent.EMERGENCY, Intent.HELP, Intent.RECORDS, Intent.FORGET, Intent.MORE, Intent.SOURCE, Intent.STATUTE),
        *(Intent.EASY, Intent.ENGLISH, Intent.PLAIN, Intent.LARGER, Intent.SMALLER),
    }
)
COURTESY = frozenset({Intent.GREETING, Intent.THANKS, Intent.PRAISE, Intent.BLAME, Intent.UNCLEAR})
# In a group these are meant for the others, unless the bot is addressed.
_SMALL_TALK = COURTESY | {Intent.EMPTY}


def is_small_talk(talk: Talk, text: str, here: Here) -> bool:
    """Whether a message in a group, not addressed to the bot, is rather for the others in it."""
    if any(says(text, word) for word in Word):
        return False
    if is_for_people(text) or (talk.step in (Step.PLACE, Step.HAPPENED) and is_about_tomorrow(text)):
        return True
    if talk.step is Step.OUTCOME:
        return is_interjection(text)
    if talk.step not in PIECES and is_sentence(text) and not adds(text):
        return not (chosen_early(talk, text, here) or correction(text) or tells_outcome(text))
    return recognise(text) in _SMALL_TALK or (talk.step in PIECES and is_interjection(text))


def goes_on_from_sent(text: str) -> bool:
    """Whether a message is about the tip that has just been sent, or about another one."""
    if any(says(text, word) for word in (Word.SEND, Word.MEND)) or has_another(text) or asks_about_sharing(text):
        return True
    return wants_removed(text) and not says(text, Word.SCRUB)


def is_for_others(talk: Talk, text: str) -> bool:
    """Whether a message to the bot is no piece of a tip: a question, a command, a courtesy."""
    intent = recognise(text)
    if goes_on(talk, text, at_once=False):
        return intent is Intent.EMERGENCY
    if talk.step is Step.PERSONAL and says(text, Word.SCRUB):
        return False
    if intent in _OTHERS or talk.step is Step.QUESTION:  # where a question is asked for, one is an answer
        return intent in _OTHERS
    return only_asks(text) if talk.step is Step.TEXT else is_question(text)
