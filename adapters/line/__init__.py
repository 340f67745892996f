"""LINE: webhook in, replies out; a push for announcements only."""

from __future__ import annotations

from bot.bootstrap import Yui
from bot.channels import Adapter


def create(yui: Yui) -> Adapter:
    """LINE, as the settings describe it."""
    from adapters.line.channel import Channel
    from adapters.line.checks import examine
    from adapters.line.sending import Sender
    from adapters.line.webhook import Webhook

    settings = yui.settings
    assert settings.line_channel_secret  # noqa: S101 - bot.app creates only what is configured
    assert settings.line_channel_access_token  # noqa: S101
    token = settings.line_channel_access_token.get_secret_value()
    channel = Channel(settings.line_api_base, token, yui.metrics)
    webhook = Webhook(yui, channel, settings.line_channel_secret.get_secret_value().encode())
    return Adapter("line", webhook.router, webhook.run, lambda: examine(yui, channel), Sender(channel))
