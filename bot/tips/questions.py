"""The questions of the talk about a tip, one a step, with what can be answered by a tap."""

from __future__ import annotations

from collections.abc import Callable

from bot import wording
from bot.tips.chat import Asked, Here
from bot.tips.state import PIECES, Step, Talk
from bot.tips.tip import MAY_STAND, Consent, Draft
from bot.tips.words import Word
from knowledge import FEDERATION, PUBLIC, PersonalData, find_personal_data

_SHOWN_CO_OPS = 8
_SHOWN = 200  # characters of one's own text, shown again
_READ_FOR_PERSONAL_DATA = ("text", "place", "happened", "outcome", "question")
MENDED = (Step.TEXT, Step.PLACE, Step.HAPPENED, Step.OUTCOME, Step.QUESTION, Step.CONSENT, Step.AUDIENCE)


def ask(talk: Talk, here: Here) -> Asked:
    """The question of the step the talk is at."""
    return _ASKS[talk.step](talk, here)


def _ask_piece(talk: Talk, here: Here) -> Asked:
    told_already = getattr(talk.draft, PIECES[talk.step])
    text = here.say(f"ask_{talk.step.value}")
    if told_already:
        text += "\n" + here.say("as_told", told=shortened(told_already))
    words = [Word.SKIP] if talk.step is not Step.TEXT or told_already else []
    words += [Word.BACK] if talk.trail else []
    words += [Word.SEND] if talk.draft.text and talk.step not in (Step.TEXT, Step.NAME) else []
    return Asked(text, _labels(here, *words, Word.LEAVE))


def _ask_similar(talk: Talk, here: Here) -> Asked:
    near = here.similar(talk.draft.text)
    lines = [f"{n}. {shortened(t.draft.text, _SHOWN // 2)}" for n, t in enumerate(near, 1)]
    return Asked(
        "\n".join([here.say("ask_similar"), *lines]), _labels(here, Word.SAME, Word.ADD, Word.DIFFERS, Word.BACK, Word.LEAVE)
    )


def _ask_personal(talk: Talk, here: Here) -> Asked:
    found = personal_data(talk)
    shown = {data.text: wording.say(f"personal_{data.kind.value}", here.language) for _, data in found}
    lines = [f"・{text}（{kind}）" if here.language.startswith("ja") else f"- {text} ({kind})" for text, kind in shown.items()]
    allow = [Word.ALLOW] if all(data.kind in MAY_STAND for _, data in found) else []
    return Asked(
        "\n".join([here.say("ask_personal"), *lines]), _labels(here, Word.SCRUB, *allow, Word.REWRITE, Word.BACK, Word.LEAVE)
    )


def _ask_consent(_: Talk, here: Here) -> Asked:
    return Asked(here.say("ask_consent"), _labels(here, *consents(here), Word.BACK, Word.LEAVE))


def _ask_audience(_: Talk, here: Here) -> Asked:
    return Asked(here.say("ask_audience"), _labels(here, *audiences(here), Word.BACK, Word.LEAVE))


def _ask_co_ops(_: Talk, here: Here) -> Asked:
    names = tuple(c.name for c in here.others[:_SHOWN_CO_OPS])
    return Asked(here.say("ask_co_ops"), (*names, *_labels(here, Word.BACK, Word.LEAVE)))


def _ask_summary(talk: Talk, here: Here) -> Asked:
    draft = talk.draft
    pieces = [(s, getattr(draft, PIECES[s])) for s in MENDED if s in PIECES]
    lines = [f"【{part(s, here)}】{shortened(value)}" for s, value in pieces if value]
    lines.append(f"【{part(Step.CONSENT, here)}】{named(draft, here)}")
    lines.append(f"【{part(Step.AUDIENCE, here)}】{shown_to(draft, here)}")
    return Asked(
        "\n".join([here.say("ask_summary"), *lines, here.say("may_send")]),
        _labels(here, Word.SEND, Word.MEND, Word.BACK, Word.LEAVE),
    )


def _ask_mend(_: Talk, here: Here) -> Asked:
    return Asked(here.say("ask_mend"), (*(part(s, here) for s in MENDED), *_labels(here, Word.SEND, Word.BACK)))


def _ask_settle(talk: Talk, here: Here) -> Asked:
    return Asked(here.say("ask_settle", told=shortened(talk.draft.text, _SHOWN // 2)), _labels(here, Word.GO_ON, Word.ANEW))


_ASKS: dict[Step, Callable[[Talk, Here], Asked]] = {
    **dict.fromkeys(PIECES, _ask_piece),
    Step.SIMILAR: _ask_similar,
    Step.PERSONAL: _ask_personal,
    Step.CONSENT: _ask_consent,
    Step.AUDIENCE: _ask_audience,
    Step.CO_OPS: _ask_co_ops,
    Step.SUMMARY: _ask_summary,
    Step.MEND: _ask_mend,
    Step.SETTLE: _ask_settle,
}


def named(draft: Draft, here: Here) -> str:
    """How the giver wants to be named, in words."""
    if draft.consent is Consent.NAME and draft.author_name:
        return draft.author_name
    if draft.consent is Consent.CO_OP and here.co_op:
        return here.co_op_name(here.co_op)
    return here.label(Word.ANONYMOUS)


def shown_to(draft: Draft, here: Here) -> str:
    """Who shall find it, in words."""
    keys = draft.audience.keys - here.own.keys
    for key, word in ((PUBLIC, Word.PUBLIC), (FEDERATION, Word.FEDERATION)):
        if key in keys:
            return here.label(word)
    names = [here.co_op_name(key.removeprefix("coop:")) for key in sorted(keys)]
    return "、".join([here.label(Word.OWN_CO_OP), *filter(None, names)])


def personal_data(talk: Talk) -> list[tuple[str, PersonalData]]:
    """What may not stand in the draft yet, with the piece it stands in."""
    found = [(piece, data) for piece in _READ_FOR_PERSONAL_DATA for data in find_personal_data(getattr(talk.draft, piece))]
    return [(piece, data) for piece, data in found if data.text not in talk.allowed]


def consents(here: Here) -> tuple[Word, ...]:
    """The ways to be named that can be chosen here."""
    return (Word.BY_NAME, *([Word.BY_CO_OP] if here.co_op else []), Word.ANONYMOUS)


def audiences(here: Here) -> tuple[Word, ...]:
    """Who can be chosen here to see a tip."""
    return (Word.OWN_CO_OP, *([Word.CHOSEN] if here.others else []), Word.FEDERATION, Word.PUBLIC)


def _labels(here: Here, *words: Word) -> tuple[str, ...]:
    return tuple(here.label(word) for word in words)


def part(step: Step, here: Here) -> str:
    """What a step asks for, in a word or two."""
    return here.say(f"part_{step.value}")


def shortened(text: str, most: int = _SHOWN) -> str:
    """A text as it is shown again: its beginning."""
    return text if len(text) <= most else text[: most - 1].rstrip() + "…"
