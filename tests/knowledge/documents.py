"""Documents for tests."""

from knowledge.types import Audience, Document, Kind, Passage


def document(
    document_id: str, *shorts: str, audience: Audience | None = None, kind: Kind = Kind.SURVEY, title: str = ""
) -> Document:
    """A document with one passage for each short answer."""
    title = title or f"{document_id}のこと"
    passages = tuple(
        Passage(id=document_id if n == 0 else f"{document_id}#p{n}", heading=title if n == 0 else f"{title} {n}", short=short)
        for n, short in enumerate(shorts)
    )
    return Document(
        id=document_id, kind=kind, title=title, source="試験用の資料", passages=passages, audience=audience or Audience()
    )
