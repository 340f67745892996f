"""An entry as a member would read it in the chat, before it is saved; nothing of it is kept."""

from __future__ import annotations

from bot import wording
from bot.desk.contents import Content, cleaned, document_of
from bot.messages import Act, Choice, Reply, contract
from knowledge import KnowledgeBase

LANGUAGES = ("ja", "ja-easy", "en")
_RATING = "preview"  # lets the rating buttons be shown; nobody can press them


def preview(knowledge: KnowledgeBase, document_id: str, content: Content, part: str, language: str) -> Reply | None:
    """The reply that a part of an entry gives to who asks for it; None where there is nothing to tell yet."""
    document = document_of(document_id, cleaned(content))
    language = language if language in LANGUAGES else "ja"
    answer = knowledge.tell_unsaved(document, part, language)
    if not answer.layers or not answer.layers[0].text.strip():
        return None
    body, where = wording.answer_text(answer, language)
    text = f"{body}\n{where}"
    labels = [wording.say("more", language), *([] if language != "ja" else [wording.say("easy", language)])]
    choices = tuple(Choice(label) for label in labels)
    return Reply(Act.ANSWER, text, choices, contract(answer, language, text, labels), _RATING, body=body)
