"""Chat in a terminal: no keys, no browser."""

from __future__ import annotations

import asyncio
import sys

from bot.conversations import Conversations
from bot.messages import IncomingMessage

_CONVERSATION = "console"


async def talk(conversations: Conversations) -> None:
    """Lines in, replies out, until the input ends."""
    print("結です。質問をどうぞ。(終わるときは Ctrl-D)")
    while True:
        print("> ", end="", flush=True)
        line = await asyncio.to_thread(sys.stdin.readline)
        if not line:
            print()
            return
        reply = await conversations.reply_to(IncomingMessage(_CONVERSATION, line.rstrip("\n")))
        if reply is not None:
            print(reply.text)
            if reply.choices:
                print("  ".join(f"[{choice.text}]" for choice in reply.choices))
