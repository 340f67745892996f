"""Discord: slash command, mentions, replies, direct messages and buttons over the gateway; no privileged intents."""

from __future__ import annotations

from bot.bootstrap import Yui
from bot.channels import Adapter


def create(yui: Yui) -> Adapter:
    """Discord, as the settings describe it."""
    from adapters.discord.checks import examine
    from adapters.discord.client import run
    from adapters.discord.endpoints import point_at
    from adapters.discord.rest import Rest
    from adapters.discord.sending import Sender

    settings = yui.settings
    assert settings.discord_token  # noqa: S101 - bot.bootstrap creates only what is configured
    token = settings.discord_token.get_secret_value()
    point_at(settings.discord_api_base, settings.discord_gateway)
    rest = Rest(token, yui.metrics)

    async def running() -> None:
        async with rest.opened():
            await run(yui, token)

    return Adapter("discord", None, running, lambda: examine(token), Sender(rest))
