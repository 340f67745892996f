"""`/api/tips`, `/api/review`, `/api/questions`, `/api/search`, `/api/co-ops`: the services over HTTP.

What somebody may not see is answered like what is not there.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Annotated, Any

from fastapi import APIRouter, Depends, HTTPException, Query, Request, Response

from adapters.web.callers import Anybody, Caller, Service, Somebody, forbidden, holding, json_only, throttled
from adapters.web.schemas import (
    Change,
    Conflict,
    CoOpAnswer,
    CoOpId,
    CoOps,
    Decided,
    Decision,
    Error,
    Found,
    Offer,
    Offered,
    OpenQuestion,
    OpenQuestions,
    OwnTip,
    PersonalDataFound,
    Profile,
    PublishedTip,
    Queue,
    SearchResults,
    TipId,
    Tips,
)
from bot.api_keys import Holder, Scope
from bot.bootstrap import Yui
from bot.errors import UserMistake
from bot.search import audience_of, personal_data
from bot.tips import tip as words

_NO_TIP = "そのコツは見つかりません。"
_CHANGED = "ほかの人が先に変えたか、もう決まっています。いまの内容を見て、もう一度送ってください。"
_WIDER = "このコツを出した人は、そこまで広く見せることを選んでいません。"
_PERSONAL = "個人の情報のように見える所があります。消してください。名前・住所・電話・メールは、本人がよければ確認して送れます。"
_EVERYWHERE: dict[int | str, dict[str, Any]] = {
    401: {"model": Error, "description": "No key, or one that is unknown or past its day"},
    422: {"model": Error, "description": "A field is missing, too long, or not known"},
    429: {"model": Error, "description": "Too many calls; see Retry-After"},
    500: {"model": Error, "description": "Something unforeseen"},
    503: {"model": Error, "description": "The database or the search cannot be used just now"},
}
_WITH_BODY: dict[int | str, dict[str, Any]] = {
    400: {"model": Error, "description": "Not JSON"},
    413: {"model": Error, "description": "Larger than any tip"},
    415: {"model": Error, "description": "Not application/json"},
}
_MISSING: dict[int | str, dict[str, Any]] = {404: {"model": Error, "description": "Not there, or not for this caller"}}
_SCOPED: dict[int | str, dict[str, Any]] = {403: {"model": Error, "description": "The key does not open this"}}
_KEYLESS: dict[str, Any] = {"security": [{}]}  # besides the key's: none is needed

Reader = Annotated[Holder, Depends(holding(Scope.READ))]
Reviewer = Annotated[Holder, Depends(holding(Scope.TIPS_REVIEW))]
Asker = Annotated[Holder, Depends(holding(Scope.QUESTIONS_READ))]
Registrar = Annotated[Holder, Depends(holding(Scope.MEMBERS_ADMIN))]
Limit = Annotated[int, Query(ge=1, le=200)]
Offset = Annotated[int, Query(ge=0, le=1_000_000)]

router = APIRouter(prefix="/api", responses=_EVERYWHERE)
JSON = [Depends(json_only)]


# tips


@router.post(
    "/tips",
    status_code=201,
    dependencies=JSON,
    responses={**_WITH_BODY, **_SCOPED, 409: {"model": PersonalDataFound, "description": "It tells about a person"}},
    openapi_extra=_KEYLESS,
)
def offer(offer: Offer, request: Request, caller: Somebody, yui: Service) -> Offered:
    """Offer a tip: with the chat page's cookie, or with a key that has the scope `tips:write`."""
    _may_write(caller)
    draft = _draft(offer, words.Draft())
    if found := personal_data(draft, confirmed=offer.personal_data_confirmed):
        raise _personal(found)
    if caller.holder is None:
        throttled(request.app.state.throttles.offers, caller.address)
    co_op = yui.members.own_co_op(caller.account, group=False)
    tip = yui.curation.offer(draft, author=caller.account, conversation=caller.account, co_op=co_op)
    return Offered(id=tip.id, state=tip.state, version=tip.version)


@router.get("/tips", responses=_SCOPED, openapi_extra=_KEYLESS)
def list_tips(caller: Somebody, yui: Service, mine: bool = False, offset: Offset = 0, limit: Limit = 50) -> Tips:
    """One's own tips with the cookie, or with `mine` and a key that writes; with a key that reads, the published ones."""
    shown: list[OwnTip | PublishedTip]
    if caller.holder is None or mine:
        _may_write(caller)
        shown = [OwnTip.of(t) for t in yui.curation.mine(caller.account)[offset : offset + limit + 1]]
    elif caller.may(Scope.READ):
        shown = [PublishedTip.of(*found) for found in yui.search.published(_audience(yui, caller), offset, limit + 1)]
    else:
        raise forbidden()
    return Tips(tips=shown[:limit], next=offset + limit if len(shown) > limit else None)


@router.get("/tips/{tip_id}", responses=_MISSING, openapi_extra=_KEYLESS)
def get_tip(tip_id: TipId, caller: Somebody, yui: Service) -> OwnTip | PublishedTip:
    """A tip: one's own, one to review, or a published one that the key may find."""
    tip = yui.curation.tip(tip_id, caller.account)
    if tip is not None and (tip.author == caller.account or caller.holder is None or caller.may(Scope.TIPS_REVIEW)):
        return OwnTip.of(tip)
    found = yui.search.tip(tip_id, _audience(yui, caller)) if caller.holder is None or caller.may(Scope.READ) else None
    if found is None:
        raise HTTPException(404, _NO_TIP)
    return PublishedTip.of(*found)


@router.patch(
    "/tips/{tip_id}",
    dependencies=JSON,
    responses={
        **_WITH_BODY,
        **_SCOPED,
        **_MISSING,
        409: {"model": Conflict | PersonalDataFound, "description": "There is a newer version, or it tells about a person"},
    },
    openapi_extra=_KEYLESS,
)
def change(tip_id: TipId, change: Change, caller: Somebody, yui: Service) -> OwnTip:
    """Change one's own tip; what is not sent stays. It waits for review again."""
    _may_write(caller)
    held = _own(yui, tip_id, caller)
    if held.version != change.version:
        raise _conflict(held)
    draft = _draft(change, held.draft)
    if found := personal_data(draft, confirmed=change.personal_data_confirmed):
        raise _personal(found)
    try:
        return OwnTip.of(yui.curation.change(tip_id, caller.account, draft))
    except UserMistake as mistake:
        now = _own(yui, tip_id, caller)
        if now.version != held.version:
            raise _conflict(now) from mistake
        raise


@router.delete("/tips/{tip_id}", status_code=204, responses={**_SCOPED, **_MISSING}, openapi_extra=_KEYLESS)
def withdraw(tip_id: TipId, caller: Somebody, yui: Service) -> Response:
    """Withdraw one's own tip: everywhere and for good."""
    _may_write(caller)
    _own(yui, tip_id, caller)
    yui.curation.withdraw(tip_id, caller.account)
    return Response(status_code=204)


# review


@router.get("/review", responses=_SCOPED)
def queue(holder: Reviewer, yui: Service, limit: Limit = 50) -> Queue:
    """What waits for a decision of this key's co-op. Scope `tips:review`."""
    return Queue(tips=[OwnTip.of(w.tip) for w in yui.curation.queue(holder.account)[:limit]])


@router.post(
    "/review/{tip_id}",
    dependencies=JSON,
    responses={**_WITH_BODY, **_SCOPED, **_MISSING, 409: {"model": Conflict, "description": "It is not what was seen any more"}},
)
def decide(tip_id: TipId, decision: Decision, holder: Reviewer, yui: Service) -> Decided:
    """Decide about the version that was seen; a second time does no harm. Scope `tips:review`."""
    if decision.action == "merge" and not _is_known(yui, decision.into, holder):
        raise HTTPException(404, _NO_TIP)
    tip = yui.curation.tip(tip_id, holder.account)
    if tip is not None and decision.audience and _is_wider(decision.audience, tip):
        raise HTTPException(409, _WIDER)
    try:
        decided = yui.curation.decide(
            tip_id,
            decision.version,
            words.Action(decision.action),
            holder.account,
            reason=decision.reason,
            into=decision.into,
            audience=audience_of(*decision.audience) if decision.audience else None,
        )
    except UserMistake as mistake:  # what it should be merged into, or handed to, is not there
        raise HTTPException(404, str(mistake)) from mistake
    return _verdict(decided)


@router.post(
    "/review/{tip_id}/undo",
    responses={**_SCOPED, **_MISSING, 409: {"model": Conflict, "description": "It changed after the decision"}},
)
def undo(tip_id: TipId, holder: Reviewer, yui: Service) -> Decided:
    """Take the last decision back. Scope `tips:review`."""
    return _verdict(yui.agenda.undo(tip_id, holder.account))


@router.get("/questions", responses=_SCOPED)
def questions(holder: Asker, yui: Service, limit: Limit = 50) -> OpenQuestions:
    """What this key's co-op asked and nobody has answered yet. Scope `questions:read`."""
    return OpenQuestions(questions=[OpenQuestion.of(t) for t in yui.questions.topics(holder.account)[:limit]])


# finding


@router.get("/search", responses=_SCOPED, openapi_extra=_KEYLESS)
def search(
    q: Annotated[str, Query(min_length=1, max_length=300, pattern=r"\S")],
    caller: Anybody,
    yui: Service,
    limit: Annotated[int, Query(ge=1, le=20)] = 10,
) -> SearchResults:
    """The entries nearest to a question: public ones, or with the scope `read` all that the key's co-op may find."""
    if caller.holder is not None and not caller.may(Scope.READ):
        raise forbidden()
    return SearchResults(results=[Found.of(e) for e in yui.search.find(q, _audience(yui, caller), limit)])


# co-ops


@router.get("/co-ops", responses=_SCOPED)
def co_ops(holder: Registrar, yui: Service) -> CoOps:
    """Co-ops with their profiles; with a key of one co-op, that one. Scope `members:admin`."""
    return CoOps(co_ops=[CoOpAnswer.of(c) for c in yui.members.co_ops() if holder.co_op in ("", c.id)])


@router.put("/co-ops/{co_op_id}", dependencies=JSON, responses={**_WITH_BODY, **_SCOPED, **_MISSING})
def put_co_op(co_op_id: CoOpId, profile: Profile, holder: Registrar, yui: Service) -> CoOpAnswer:
    """Add a co-op, or change its profile; with a key of one co-op, that one's only. Scope `members:admin`."""
    if holder.co_op not in ("", co_op_id):
        raise forbidden()
    co_op = profile.co_op(co_op_id)
    yui.members.put_co_op(co_op)
    return CoOpAnswer.of(co_op)


def _may_write(caller: Caller) -> None:
    if caller.holder is not None and not caller.may(Scope.TIPS_WRITE):
        raise forbidden()


def _audience(yui: Yui, caller: Caller) -> Any:
    """What a key's roles, or the person on the chat page, may find."""
    return yui.members.audience(caller.account, group=False) if caller.account else audience_of()


def _own(yui: Yui, tip_id: str, caller: Caller) -> words.Tip:
    tip = next((t for t in yui.curation.mine(caller.account) if t.id == tip_id), None)
    if tip is None:
        raise HTTPException(404, _NO_TIP)
    return tip


def _is_known(yui: Yui, tip_id: str, holder: Holder) -> bool:
    """Whether a reviewer may know that a tip exists."""
    audience = yui.members.audience(holder.account, group=False)
    return yui.curation.tip(tip_id, holder.account) is not None or yui.search.tip(tip_id, audience) is not None


def _is_wider(wanted: Sequence[str], tip: words.Tip) -> bool:
    """Whether a tip would be shown to others than its giver chose."""
    chosen = tip.draft.audience.keys
    if "public" in chosen:
        return False
    return not set(wanted) <= (chosen if "federation" not in chosen else {k for k in wanted if k != "public"})


def _draft(told: Offer, before: words.Draft) -> words.Draft:
    given = told.model_dump(exclude_unset=True, exclude={"version", "audience", "personal_data_confirmed"})
    if before.text == "" or "audience" in told.model_fields_set:
        given["audience"] = audience_of(*told.audience)
    return replace(before, **given)


def _verdict(decided: words.Decided) -> Decided:
    if decided.verdict in (words.Verdict.GONE, words.Verdict.NOT_ALLOWED):
        raise HTTPException(404, _NO_TIP)
    if decided.verdict is words.Verdict.CHANGED:
        raise _conflict(decided.tip)
    return Decided(verdict=decided.verdict, tip=OwnTip.of(decided.tip) if decided.tip else None)


def _conflict(tip: words.Tip | None) -> HTTPException:
    told = Conflict(error=_CHANGED, tip=OwnTip.of(tip) if tip else None)
    return HTTPException(409, told.model_dump(mode="json"))


def _personal(found: Sequence[str]) -> HTTPException:
    return HTTPException(409, PersonalDataFound(error=_PERSONAL, found=list(found)).model_dump())
