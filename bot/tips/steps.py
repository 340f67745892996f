"""The steps of the talk about a tip: which is due, and what each takes for an answer."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace

from bot.errors import UserMistake
from bot.intents import Intent, recognise
from bot.members import co_op_key
from bot.tips.chat import Here
from bot.tips.pieces import (
    adds,
    correction,
    counted_anew,
    is_place,
    is_sentence,
    is_time,
    is_unfinished,
    part_named,
    stops_short,
    tells_outcome,
    time_in,
    told,
    without_copula,
    without_filler,
)
from bot.tips.questions import MENDED, audiences, consents, part, personal_data
from bot.tips.state import OPTIONAL, ORDER, PIECES, Step, Talk, with_pieces
from bot.tips.tip import LONGEST_TIP, MAY_STAND, SHORTEST_TIP, Consent, Draft
from bot.tips.words import Word, number, only_asks, says, says_how_to_share
from knowledge import FEDERATION, PUBLIC, Audience, PersonalDataKind, find_personal_data, normalise, scrub

# characters
MOST = {Step.TEXT: LONGEST_TIP, Step.PLACE: 200, Step.HAPPENED: 100, Step.OUTCOME: 500, Step.NAME: 40, Step.QUESTION: 300}
_NAMED_WHERE = re.compile(r"(?<=[一-龥ァ-ヶー])で$")  # 「公民館で」
_PLAIN = (Step.PLACE, Step.HAPPENED, Step.OUTCOME)
# Never where, when or how it went; what answers a question that is not asked.
_OF_OTHER_STEPS = (
    *(Word.SAME, Word.ADD, Word.DIFFERS, Word.SCRUB, Word.ALLOW, Word.REWRITE, Word.GO_ON, Word.ANEW, Word.YES, Word.NO),
)
_CONSENTS = {Word.BY_NAME: Consent.NAME, Word.BY_CO_OP: Consent.CO_OP, Word.ANONYMOUS: Consent.ANONYMOUS}


def ahead(talk: Talk, here: Here) -> Talk:
    """The talk at the first step that is due; the summary where nothing is."""
    for step in ORDER:
        if _is_due(step, talk, here):
            return talk.to(step)
        if step is Step.SIMILAR:
            talk = talk.having(step)
    return talk.to(Step.SUMMARY)


def _is_due(step: Step, talk: Talk, here: Here) -> bool:
    draft = talk.draft
    if step is Step.PERSONAL:
        return bool(personal_data(talk))
    if step is Step.CO_OPS:
        return step not in talk.done and Step.AUDIENCE in talk.done
    if step in talk.done:
        return False
    if step is Step.TEXT:
        return True
    if step is Step.SIMILAR:
        return not talk.tip and any(t.id != talk.tip for t in here.similar(draft.text))
    return step is not Step.NAME or draft.consent is Consent.NAME


def settled(talk: Talk, here: Here) -> Talk:
    """The talk with what nobody must say left out: unnamed, for one's own."""
    if Step.AUDIENCE not in talk.done or Step.CO_OPS not in talk.done:
        talk = talk.telling(audience=here.own)
    if talk.draft.consent is Consent.NAME and not talk.draft.author_name:
        talk = talk.telling(consent=Consent.ANONYMOUS)
    return talk.having(*OPTIONAL)


def asked_anew(talk: Talk, here: Here) -> Talk:
    """The talk before it is sent; whose chat has become another co-op's since its readers were chosen is asked for them again.

    「うちの組合だけ」 was said of the co-op of that moment. A tip that has been sent keeps its own.
    """
    if talk.tip or Step.AUDIENCE not in talk.done or Step.CO_OPS not in talk.done or here.own.keys <= talk.draft.audience.keys:
        return talk
    named = [Step.CONSENT] if talk.draft.consent is Consent.CO_OP else []
    return ahead(talk.lacking(Step.AUDIENCE, Step.CO_OPS, *named), here)


def begun(draft: Draft, *, told_at: str = "") -> Talk:
    """A talk in which some pieces have been told already."""
    heard = told(draft.text)
    pieces = {k: getattr(draft, k) or getattr(heard, k) for k in ("place", "happened", "outcome")}
    pieces["question"] = scrub(draft.question) or heard.question
    text = heard.text if len(heard.text) >= SHORTEST_TIP else draft.text
    draft = with_pieces(draft, {**pieces, "text": text})
    talk = Talk(draft=draft, told_at=told_at)
    if draft.text:
        talk = talk.having(Step.TEXT)
    talk = talk.having(*(step for step, piece in PIECES.items() if pieces.get(piece)))
    if tells_outcome(draft.text):
        talk = talk.having(Step.OUTCOME)
    if draft.consent is not Consent.ANONYMOUS:
        talk = talk.having(Step.CONSENT, *([Step.NAME] if draft.author_name else []))
    if draft.audience != Audience():
        talk = talk.having(Step.AUDIENCE, Step.CO_OPS)
    return talk


def take(talk: Talk, text: str, here: Here) -> Talk | None:
    """The talk after an answer; None for what is none. Raises UserMistake for an answer that cannot be."""
    return _TAKES[talk.step](talk, text, here)


def chosen_early(talk: Talk, text: str, here: Here) -> tuple[Talk, Word] | None:
    """The talk after a word about the name or the readers that is told while something else is asked."""
    if talk.step in (Step.MEND, Step.SETTLE) or (talk.step in PIECES and not says_how_to_share(text)):
        return None
    for step, words, taken in (
        (Step.CONSENT, consents(here), _take_consent),
        (Step.AUDIENCE, audiences(here), _take_audience),
    ):
        word = next((word for word in words if says(text, word)), None)
        if word and step is not talk.step and (new := taken(talk, text, here)):
            return new, word
    return None


def corrected(talk: Talk, text: str, here: Here) -> tuple[Talk, str] | None:
    """The talk with one of its pieces put right, and what stands there now; None for what corrects nothing that was told.

    Raises UserMistake for what is right but cannot be.
    """
    found = correction(text) if talk.step not in (Step.SIMILAR, Step.SETTLE, Step.NAME) else None
    if found is None:
        return None
    old, new = found
    for step in _CORRECTED:
        told = getattr(talk.draft, PIECES[step])
        before, wrong, after = told.rpartition(old) if old else ("", "", "")
        if right := before + new + after if wrong else "" if old else counted_anew(told, new):
            return _put_right(talk, step, right, here), right
    if not old and is_time(new) and talk.draft.happened:
        return _put_right(talk, Step.HAPPENED, new, here), new
    before_it = talk.back()
    if old or before_it.step not in _CORRECTED or (before_it.step is Step.TEXT and not is_sentence(new)):
        return None
    return _put_right(talk, before_it.step, new, here), new


_CORRECTED = (Step.QUESTION, Step.OUTCOME, Step.HAPPENED, Step.PLACE, Step.TEXT)  # what was told last comes first


def _put_right(talk: Talk, step: Step, right: str, here: Here) -> Talk:
    fits(right, step, here)
    new = talk.telling(**{PIECES[step]: right})
    return ahead(new.lacking(Step.SIMILAR) if step is Step.TEXT else new, here)


def _take_piece(talk: Talk, text: str, here: Here) -> Talk | None:
    piece = PIECES[talk.step]
    if says(text, Word.SKIP) and (talk.step is not Step.TEXT or talk.draft.text):
        skipped = talk.telling(consent=Consent.ANONYMOUS) if talk.step is Step.NAME and not talk.draft.author_name else talk
        return ahead(skipped.having(talk.step), here)
    if talk.step is not Step.TEXT and recognise(text) in (Intent.EMPTY, Intent.CHOICE, Intent.UNCLEAR):
        return None
    if talk.step in _PLAIN and any(says(text, word) for word in _OF_OTHER_STEPS):
        return None
    text = text if talk.step in (Step.TEXT, Step.OUTCOME, Step.QUESTION) else without_copula(without_filler(text))
    fits(text, talk.step, here)
    if talk.step is Step.NAME and any(d.kind is not PersonalDataKind.NAME for d in find_personal_data(text)):
        raise UserMistake(here.say("only_a_name"))
    if talk.step is Step.TEXT:
        return ahead(retold(talk, text), here)
    if talk.step in (Step.PLACE, Step.OUTCOME) and is_time(text) and not talk.draft.happened:  # the question stays
        return ahead(talk.telling(happened=text).having(Step.HAPPENED), here)
    if talk.step in (Step.HAPPENED, Step.OUTCOME) and is_place(text) and not talk.draft.place:
        return ahead(talk.telling(place=without_copula(text).removesuffix("で")).having(Step.PLACE), here)
    text = _NAMED_WHERE.sub("", text) if talk.step is Step.PLACE else text
    talk = talk.telling(**{piece: text}).having(talk.step)
    if talk.step is Step.PLACE and not talk.draft.happened and (when := time_in(text)):
        talk = talk.telling(happened=when).having(Step.HAPPENED)
    return ahead(talk, here)


def fits(text: str, step: Step, here: Here) -> None:
    """Raises UserMistake for a piece that is too short or too long."""
    if step is Step.TEXT and len(text) < SHORTEST_TIP and not stops_short(text):
        raise UserMistake(here.say("too_short"))
    if len(text) > MOST[step]:
        raise UserMistake(here.say("too_long", most=f"{MOST[step]:,}"))


def retold(talk: Talk, text: str) -> Talk:
    """The talk with another text; pieces that were told stay."""
    heard = begun(Draft(text))
    pieces = {k: getattr(talk.draft, k) or getattr(heard.draft, k) for k in ("place", "happened", "outcome", "question")}
    new = talk.telling(text=heard.draft.text, **pieces)
    new = new.having(*heard.done, *(s for s, piece in PIECES.items() if pieces.get(piece)))
    return new if text == talk.draft.text else new.lacking(Step.SIMILAR)


def continued(talk: Talk, text: str, here: Here) -> Talk:
    """The talk with something added to its text. Raises UserMistake where it becomes too long."""
    before = talk.draft.text
    whole = before + ("" if is_unfinished(before) else "\n") + text
    fits(whole, Step.TEXT, here)
    here_still = talk.having(Step.OUTCOME) if tells_outcome(text) and talk.step is not Step.OUTCOME else talk
    return ahead(here_still.telling(text=whole), here)


def goes_on(talk: Talk, text: str, *, at_once: bool) -> bool:
    """Whether a message goes on with the text though something else was asked. `at_once`: written within some seconds."""
    if not talk.draft.text or talk.step in (Step.TEXT, Step.NAME, Step.SETTLE, Step.SENT):
        return False
    if adds(text):
        return True
    asked_next = talk.step in (Step.PLACE, Step.HAPPENED, Step.OUTCOME) and talk.trail[-1:] in ((), (Step.TEXT,))
    if not asked_next or not (at_once or stops_short(talk.draft.text)) or any(says(text, word) for word in Word) or only_asks(text):
        return False
    if is_place(text) or is_time(text):
        return False
    return is_unfinished(talk.draft.text) or (talk.step is not Step.OUTCOME and is_sentence(text))


def _take_similar(talk: Talk, text: str, here: Here) -> Talk | None:
    if says(text, Word.SAME) or number(text):
        if near := here.similar(talk.draft.text):
            here.count(near[min(number(text) or 1, len(near)) - 1].id)
        return Talk(step=Step.SENT)
    if any(says(text, word) for word in (Word.ADD, Word.DIFFERS, Word.SKIP)):
        return ahead(talk.having(Step.SIMILAR), here)
    if tells_outcome(text) and not talk.draft.outcome:  # 「うちではうまくいかんかった」
        fits(text, Step.OUTCOME, here)
        return ahead(talk.telling(outcome=text).having(Step.SIMILAR, Step.OUTCOME), here)
    return None


def _take_personal(talk: Talk, text: str, here: Here) -> Talk | None:
    found = personal_data(talk)
    if says(text, Word.REWRITE):
        piece = found[0][0] if found else "text"
        step = next(s for s, p in PIECES.items() if p == piece)
        return talk.lacking(step).to(step)
    if says(text, Word.SCRUB) or (says(text, Word.YES) and not says(text, Word.ALLOW)):
        pieces = {piece: scrub(getattr(talk.draft, piece)) for piece, _ in found}
        return ahead(talk.telling(**pieces), here)
    if says(text, Word.ALLOW):
        if any(data.kind not in MAY_STAND for _, data in found):
            raise UserMistake(here.say("not_allowed"))
        return ahead(replace(talk, allowed=(*talk.allowed, *(data.text for _, data in found))), here)
    return None


def _take_consent(talk: Talk, text: str, here: Here) -> Talk | None:
    word = Word.ANONYMOUS if says(text, Word.SKIP) else _chosen(text, consents(here))
    if word is None:
        return None
    return ahead(talk.telling(consent=_CONSENTS[word], author_name="").having(Step.CONSENT).lacking(Step.NAME), here)


def _take_audience(talk: Talk, text: str, here: Here) -> Talk | None:
    word = Word.OWN_CO_OP if says(text, Word.SKIP) else _chosen(text, audiences(here))
    if word is None:
        return None
    if word is Word.CHOSEN:
        return talk.telling(audience=here.own).having(Step.AUDIENCE).lacking(Step.CO_OPS).to(Step.CO_OPS)
    wider = {Word.FEDERATION: {FEDERATION}, Word.PUBLIC: {PUBLIC}}.get(word, set())
    return ahead(talk.telling(audience=Audience(here.own.keys | wider)).having(Step.AUDIENCE, Step.CO_OPS), here)


def _take_co_ops(talk: Talk, text: str, here: Here) -> Talk | None:
    asked = [part for part in _parts(text) if part]
    found = [c for part in asked for c in here.others if normalise(part) in (normalise(c.name), c.id)]
    if not found or len(found) < len(asked):
        near = [c.name for part in asked for c in here.others if normalise(part) in normalise(c.name)]
        if near or found:
            raise UserMistake(here.say("which_co_op", names="、".join(dict.fromkeys([*near, *(c.name for c in found)]))))
        return None
    keys = here.own.keys | {co_op_key(c.id) for c in found}
    return ahead(talk.telling(audience=Audience(frozenset(keys))).having(Step.CO_OPS), here)


def _take_summary(talk: Talk, text: str, _: Here) -> Talk | None:
    return talk.to(Step.MEND) if says(text, Word.MEND) else None


def _take_mend(talk: Talk, text: str, here: Here) -> Talk | None:
    at = number(text)
    parts = {normalise(part(s, here)): s for s in MENDED}
    named = part_named(text[:40])
    step = MENDED[at - 1] if at and at <= len(MENDED) else parts.get(normalise(text[:40]))
    step = step or next((s for s, piece in PIECES.items() if piece == named), None)
    step = step or (Step.CONSENT if says(text, Word.BY_NAME) else None)
    return talk.lacking(step).to(step) if step else None


def _take_settle(talk: Talk, text: str, here: Here) -> Talk | None:
    if says(text, Word.GO_ON) or number(text) == 1:
        return ahead(replace(talk, following=None), here)
    if says(text, Word.ANEW) or number(text) == 2:
        return ahead(begun(talk.following or Draft()), here)
    return None


_TAKES: dict[Step, Callable[[Talk, str, Here], Talk | None]] = {
    **dict.fromkeys(PIECES, _take_piece),
    Step.SIMILAR: _take_similar,
    Step.PERSONAL: _take_personal,
    Step.CONSENT: _take_consent,
    Step.AUDIENCE: _take_audience,
    Step.CO_OPS: _take_co_ops,
    Step.SUMMARY: _take_summary,
    Step.MEND: _take_mend,
    Step.SETTLE: _take_settle,
}


def _chosen(text: str, words: tuple[Word, ...]) -> Word | None:
    """The word that is said, by its label, in other words, or by its number."""
    at = number(text)
    if at is not None:
        return words[at - 1] if at <= len(words) else None
    return next((word for word in words if says(text, word)), None)


def _parts(text: str) -> list[str]:
    return [part.strip() for part in re.split(r"[、,，\n]", text)]
