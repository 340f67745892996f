"""What `yui doctor` looks at for LINE."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

from adapters.line.channel import Channel, Refused, Unreadable
from bot.announcing.ledger import month_of
from bot.bootstrap import Yui
from bot.channels import Finding

_GUIDE = "See docs/setup-line.ja.md."


async def examine(yui: Yui, channel: Channel) -> AsyncIterator[Finding]:
    async with channel.opened():
        try:
            bot = await channel.bot()
        except Refused as refused:
            yield _not_accepted(refused)
            return
        except Unreadable:
            yield _not_accepted(Refused(0))
            return
        yield Finding("LINE token", True, f"accepted, for the account {bot.get('displayName', '')} ({bot.get('basicId', '')})")
        for look in (_webhook, _quota, _groups):
            try:
                async for finding in look(yui, channel):
                    yield finding
            except Unreadable:
                yield Finding(f"LINE {look.__name__.strip('_')}", False, "LINE's answer cannot be read", "Try again later.")
            except Refused as refused:
                yield Finding(
                    f"LINE {look.__name__.strip('_')}", False, f"LINE refused to tell (status {refused.status})", "Try again later."
                )


def _not_accepted(refused: Refused) -> Finding:
    if refused.status in (401, 403):
        remedy = "Issue a new long-lived token in the LINE Developers console and set YUI_LINE_CHANNEL_ACCESS_TOKEN."
        return Finding("LINE token", False, "LINE does not accept the channel access token", remedy)
    return Finding("LINE token", False, "LINE does not answer", "Check the internet connection and YUI_LINE_API_BASE.")


async def _webhook(yui: Yui, channel: Channel) -> AsyncIterator[Finding]:
    public = yui.settings.public_url
    if not public:
        yield Finding("LINE webhook", False, "YUI_PUBLIC_URL is not set", f"Set it to the HTTPS address of this bot. {_GUIDE}")
        return
    address = f"{public}/webhook/line"
    try:
        registered = await channel.webhook_endpoint()
    except Refused as refused:
        if refused.status != 404:
            raise
        registered = {}
    told = registered.get("endpoint", "")
    if told != address:
        yield Finding(
            "LINE webhook", False, f"LINE has {told or 'no address'}", f"Enter {address} as the webhook URL in the console."
        )
        return
    if not registered.get("active"):
        yield Finding("LINE webhook", False, "the webhook is switched off", "Switch on Webhookの利用 in the console.")
        return
    tried = await channel.try_webhook(address)
    if not tried.get("success"):
        reason = f"{tried.get('reason', '')} {tried.get('statusCode', '')}".strip()
        yield Finding(
            "LINE webhook", False, f"LINE cannot reach {address} ({reason})",
            "Start `yui serve`, and check the proxy or tunnel, its certificate and the channel secret.",
        )  # fmt: skip
        return
    yield Finding("LINE webhook", True, f"registered, switched on, and LINE reaches {address}")


async def _quota(yui: Yui, channel: Channel) -> AsyncIterator[Finding]:
    limit, used = await channel.quota()
    left = "no limit" if limit is None else f"{max(limit - used, 0)} of {limit} messages left this month"
    balance = (await asyncio.to_thread(yui.announcements.month, month_of(yui.clock()))).balance
    others = f"; {balance.others} of those used were sent by others than Yui" if balance.differs else ""
    remedy = (
        "What is to be pushed waits for the next month; free announcements go on." if limit is not None and used >= limit else ""
    )
    yield Finding("LINE quota", True, f"{left}{others}; answers and free announcements cost none", remedy)


async def _groups(yui: Yui, _: Channel) -> AsyncIterator[Finding]:
    count = await asyncio.to_thread(yui.store.group_count, "line")
    if count:
        yield Finding("LINE groups", True, f"in {count} group(s)")
        return
    # The API does not say whether joining is allowed; being in a group shows it.
    yield Finding(
        "LINE groups", True, "in no group yet; LINE does not tell whether joining is allowed",
        "If it leaves a group at once: allow グループトーク・複数人トークへの参加 in the console.",
    )  # fmt: skip
