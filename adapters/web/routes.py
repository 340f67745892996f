"""`/`, `/api/ask`, `/api/ratings`, `/api/docs`: HTTP to messages and back."""

from __future__ import annotations

import secrets
from importlib import resources
from typing import Any
from urllib.parse import parse_qs

from fastapi import APIRouter, FastAPI, HTTPException, Request, Response
from fastapi.responses import HTMLResponse
from jinja2 import Environment, PackageLoader, StrictUndefined
from pydantic import BaseModel, Field, StrictBool

from adapters.web import announcements, announcements_api, api, console
from adapters.web.callers import COOKIE, Conversation, Throttles
from adapters.web.schemas import Error
from bot.bootstrap import Yui
from bot.conversations import LONGEST_MESSAGE, Conversations
from bot.messages import IncomingMessage, Reply

_A_DAY = 24 * 60 * 60
_ASSETS = {
    **dict.fromkeys(("base.css", "page.css", "console.css"), "text/css"),
    **dict.fromkeys(("page.js", "console.js"), "text/javascript"),
}


class Ask(BaseModel):
    """A question. Questions with the same `conversation` go on from each other."""

    question: str = Field(json_schema_extra={"pattern": r"\S"})  # what is empty is told so in words
    lang: str | None = Field(None, max_length=20, examples=["ja", "ja-easy", "en"])
    conversation: str | None = Field(None, max_length=100)


class Citation(BaseModel):
    id: str
    kind: str
    title: str
    source: str
    text: str
    article: str | None = None
    url: str | None = None
    as_of: str | None = None
    co_op: str | None = None


class Layer(BaseModel):
    layer: str
    text: str
    citations: list[str]


class AskAnswer(BaseModel):
    """What is known, in layers with their citations; `answered` is false where the fact asked for is not known.

    `rating` is the signed id by which exactly this answer can be rated.
    """

    rating: str | None = None
    question: str
    language: str
    answered: bool
    confidence: float
    text: str
    layers: list[Layer]
    citations: list[Citation]
    choices: list[str]
    elapsed_ms: float


class Rating(BaseModel):
    """`answer`: the signed `rating` of the answer that is rated."""

    answer: str = Field(max_length=200)
    helpful: StrictBool


def create(yui: Yui, app: FastAPI) -> APIRouter:
    """The routes of the chat page and of the JSON interface; what they share is kept in `app.state`."""
    app.state.yui = yui
    app.state.throttles = Throttles.usual()
    conversations = yui.conversations
    router = APIRouter()
    pages = Environment(loader=PackageLoader("adapters.web", "."), autoescape=True, undefined=StrictUndefined)

    def page(conversation: str, reply: Reply | None = None, question: str = "") -> HTMLResponse:
        response = HTMLResponse(pages.get_template("page.html").render(reply=reply, question=question, longest=LONGEST_MESSAGE))
        if not conversation:
            response.set_cookie(COOKIE, secrets.token_urlsafe(18), max_age=_A_DAY, httponly=True, samesite="lax")
        return response

    @router.get("/", include_in_schema=False)
    async def chat(conversation: Conversation = "") -> HTMLResponse:
        return page(conversation)

    @router.post("/", include_in_schema=False)
    async def chat_without_scripts(request: Request, conversation: Conversation = "") -> HTMLResponse:
        body = (await request.body()).decode("utf-8", "replace")
        question = parse_qs(body, keep_blank_values=True, max_num_fields=5).get("question", [""])[0]
        return page(conversation, await _reply(conversations, question, None, conversation), question)

    @router.post("/api/ask", response_model_exclude_none=True, responses=_refusals(400, 413, 422, 500, 503))
    async def ask(ask: Ask, conversation: Conversation = "") -> AskAnswer:
        if not ask.question.strip():
            raise HTTPException(422, "質問が空です。聞きたいことを書いて送ってください。")
        if len(ask.question) > LONGEST_MESSAGE:
            raise HTTPException(413, f"質問が長すぎます。{LONGEST_MESSAGE:,}文字までにしてください。")
        reply = await _reply(conversations, ask.question, ask.lang, ask.conversation or conversation)
        return AskAnswer.model_validate(dict(reply.answer))

    @router.post("/api/ratings", status_code=204, responses=_refusals(400, 404, 413, 422, 500, 503))
    async def rate(rating: Rating, request: Request, conversation: Conversation = "") -> Response:
        rater = conversation or (request.client.host if request.client else "unknown")
        if not await conversations.rate(rating.answer, conversations.pseudonym("web", rater), helpful=rating.helpful):
            raise HTTPException(404, "その答えは見つかりません。")
        return Response(status_code=204)

    @router.get("/api/docs", include_in_schema=False)
    async def docs() -> HTMLResponse:
        return HTMLResponse(pages.get_template("docs.html").render(operations=_operations(app.openapi())))

    @router.get("/assets/{name}", include_in_schema=False)
    async def asset(name: str) -> Response:
        if name not in _ASSETS:
            raise HTTPException(404)
        content = (resources.files("adapters.web") / name).read_bytes()
        return Response(content, media_type=_ASSETS[name], headers={"cache-control": "max-age=3600"})

    router.include_router(api.router)
    router.include_router(announcements_api.router)
    router.include_router(announcements_api.pictures)
    router.include_router(announcements.create(yui, pages))
    app.mount("/console", console.create(yui))
    return router


async def _reply(conversations: Conversations, question: str, language: str | None, conversation: str) -> Reply:
    if not conversation:
        return await conversations.reply_once(IncomingMessage("", question, language=language, platform="web"))
    message = IncomingMessage(conversations.pseudonym("web", conversation), question, language=language, platform="web")
    reply = await conversations.reply_to(message)
    return reply or await conversations.reply_once(message)  # on the web everybody speaks to the bot alone


def _refusals(*statuses: int) -> dict[int | str, dict[str, Any]]:
    return {status: {"model": Error} for status in statuses}


def _operations(schema: dict[str, Any]) -> list[dict[str, Any]]:
    """What the page of the interface shows: each operation with what it takes."""
    return [
        {
            "method": method.upper(),
            "path": path,
            "about": operation.get("description", ""),
            "key": _key(operation),
            "fields": _fields(operation, schema),
        }
        for path, methods in schema["paths"].items()
        for method, operation in methods.items()
    ]


def _key(operation: dict[str, Any]) -> str:
    """Whether an operation wants a key: `needed`, `taken` where it goes without, or nothing."""
    ways = operation.get("security", [])
    return "" if not ways else "taken" if {} in ways else "needed"


def _fields(operation: dict[str, Any], schema: dict[str, Any]) -> list[tuple[str, bool, str]]:
    """(name, required, about) of the parameters in the address and of the body's fields."""
    found = [(p["name"], p["required"], "") for p in operation.get("parameters", ()) if p["in"] == "query"]
    content: dict[str, Any] = operation.get("requestBody", {}).get("content", {})
    body: dict[str, Any] = next((told["schema"] for told in content.values()), {})  # of JSON, or of a form with a file
    model = schema.get("components", {}).get("schemas", {}).get(body.get("$ref", "").rpartition("/")[2], body)
    required = model.get("required", ())
    return [*found, *((name, name in required, _limits(told)) for name, told in model.get("properties", {}).items())]


def _limits(told: dict[str, Any]) -> str:
    """What a field may hold, as far as it is said in a word."""
    if "enum" in told:
        return " | ".join(told["enum"])
    return f"≤ {told['maxLength']}" if "maxLength" in told else ""
