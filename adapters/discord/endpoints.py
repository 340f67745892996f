"""Where Discord is: for trials, the real client can be pointed at another address."""

from __future__ import annotations

import logging

import yarl
from discord.gateway import DiscordWebSocket
from discord.http import Route


def point_at(api_base: str, gateway: str) -> None:
    """Empty: Discord's own address. The addresses belong to the whole process."""
    if api_base:
        Route.BASE = api_base
    if gateway:
        DiscordWebSocket.DEFAULT_GATEWAY = yarl.URL(gateway)
    # Below this level discord.py writes whole messages into the log.
    logging.getLogger("discord").setLevel(logging.WARNING)
