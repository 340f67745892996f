"""Where an announcement can be read: an address that only who was given it knows, since it may be for one co-op."""

from __future__ import annotations

from bot.signing import Signer

_PURPOSE = "announcement"


def path(signer: Signer, announcement_id: str) -> str:
    return f"/announcements/{signer.sign(_PURPOSE, announcement_id)}"


def address(public_url: str, signer: Signer, announcement_id: str) -> str:
    """The page of an announcement; empty where this bot has no public address."""
    return public_url + path(signer, announcement_id) if public_url else ""


def ics_address(public_url: str, signer: Signer, announcement_id: str) -> str:
    """Its calendar file; empty where this bot has no public address."""
    page = address(public_url, signer, announcement_id)
    return f"{page}.ics" if page else ""


def announcement_at(signer: Signer, signed: str) -> str | None:
    """The id behind a signed one; None for an address nobody was given."""
    return signer.verify(_PURPOSE, signed)
