"""`/`, `/api/ask`, `/api/ratings`, `/api/docs`: HTTP to messages and back."""

from __future__ import annotations

import secrets
from importlib import resources
from typing import Annotated, Any
from urllib.parse import parse_qs

from fastapi import APIRouter, Cookie, FastAPI, HTTPException, Request, Response
from fastapi.responses import HTMLResponse
from jinja2 import Environment, PackageLoader, StrictUndefined
from pydantic import BaseModel, Field

from bot.conversations import LONGEST_MESSAGE, Conversations
from bot.messages import IncomingMessage, Reply

_COOKIE = "yui_conversation"
_A_DAY = 24 * 60 * 60
_ASSETS = {"page.css": "text/css", "page.js": "text/javascript"}

Conversation = Annotated[str | None, Cookie(alias=_COOKIE, max_length=100)]


class Ask(BaseModel):
    """A question. Questions with the same `conversation` go on from each other."""

    question: str
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
    helpful: bool


def create(conversations: Conversations, app: FastAPI) -> APIRouter:
    router = APIRouter()
    pages = Environment(loader=PackageLoader("adapters.web", "."), autoescape=True, undefined=StrictUndefined)

    def page(conversation: str | None, reply: Reply | None = None, question: str = "") -> HTMLResponse:
        response = HTMLResponse(pages.get_template("page.html").render(reply=reply, question=question, longest=LONGEST_MESSAGE))
        if conversation is None:
            response.set_cookie(_COOKIE, secrets.token_urlsafe(18), max_age=_A_DAY, httponly=True, samesite="lax")
        return response

    @router.get("/", include_in_schema=False)
    async def chat(conversation: Conversation = None) -> HTMLResponse:
        return page(conversation)

    @router.post("/", include_in_schema=False)
    async def chat_without_scripts(request: Request, conversation: Conversation = None) -> HTMLResponse:
        body = (await request.body()).decode("utf-8", "replace")
        question = parse_qs(body, keep_blank_values=True, max_num_fields=5).get("question", [""])[0]
        return page(conversation, await _reply(conversations, question, None, conversation), question)

    @router.post("/api/ask", response_model_exclude_none=True)
    async def ask(ask: Ask, conversation: Conversation = None) -> AskAnswer:
        if not ask.question.strip():
            raise HTTPException(422, "質問が空です。聞きたいことを書いて送ってください。")
        if len(ask.question) > LONGEST_MESSAGE:
            raise HTTPException(413, f"質問が長すぎます。{LONGEST_MESSAGE:,}文字までにしてください。")
        reply = await _reply(conversations, ask.question, ask.lang, ask.conversation or conversation)
        return AskAnswer.model_validate(dict(reply.answer))

    @router.post("/api/ratings", status_code=204)
    async def rate(rating: Rating, request: Request, conversation: Conversation = None) -> Response:
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

    return router


async def _reply(conversations: Conversations, question: str, language: str | None, conversation: str | None) -> Reply:
    if conversation is None:
        return await conversations.reply_once(IncomingMessage("", question, language=language, platform="web"))
    message = IncomingMessage(conversations.pseudonym("web", conversation), question, language=language, platform="web")
    reply = await conversations.reply_to(message)
    return reply or await conversations.reply_once(message)  # on the web everybody speaks to the bot alone


def _operations(schema: dict[str, Any]) -> list[dict[str, Any]]:
    """What the page of the interface shows: each operation with the fields of its body."""
    found = []
    for path, methods in schema["paths"].items():
        for method, operation in methods.items():
            body = operation.get("requestBody", {}).get("content", {}).get("application/json", {}).get("schema", {})
            name = body.get("$ref", "").rpartition("/")[2]
            model = schema.get("components", {}).get("schemas", {}).get(name, {})
            fields = [(field, field in model.get("required", ())) for field in model.get("properties", {})]
            found.append({"method": method.upper(), "path": path, "about": model.get("description", ""), "fields": fields})
    return found
