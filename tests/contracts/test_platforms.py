"""One conversation, whatever it is held on: the written dialogues over LINE, Discord, the web and the terminal."""

from __future__ import annotations

import asyncio
import io
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import yarl
from discord.gateway import DiscordWebSocket
from discord.http import Route

from adapters import console
from bot.config import Settings
from tests import line_events as events
from tests.discord_platform import DiscordPlatform
from tests.line_platform import LinePlatform
from tests.running import SECRET, TOKEN, Running

DIALOGUES = sorted((Path(__file__).parents[1] / "dialogues").glob("*.txt"))
PLATFORMS = ("line", "discord", "web", "terminal")

# Says one thing and returns everything that can be read in the reply.
Say = Callable[[str], str]


class Everywhere:
    """One bot with every platform on; each talk is a new person's."""

    def __init__(self, line: LinePlatform, discord_: DiscordPlatform, bot: Running) -> None:
        self.line, self.discord, self.bot = line, discord_, bot

    def talk(self, platform: str) -> Say:
        said: Say = getattr(self, f"_{platform}")()
        return said

    def _line(self) -> Say:
        user = self.line.new_user()

        def say(text: str) -> str:
            before = len(self.line.replies)
            self.bot.line(
                events.text(
                    text,
                    source=events.user(user),
                    reply_token=self.line.new_reply_token(user),
                    quote_token=self.line.new_quote_token(user),
                )
            )
            self.line.wait_for(lambda: len(self.line.replies) > before)
            return "\n".join(self.line.replies[-1].texts)

        return say

    def _discord(self) -> Say:
        channel = self.discord.dm(self.discord.add_member("花子"))

        def say(text: str) -> str:
            before = len(self.discord.sent)
            self.discord.say(channel, channel.recipient or self.discord.bot, text)
            message = self.discord.wait_sent(before + 1)
            fields = [f"{f['name']}:{f['value']}" for e in message.embeds for f in e.get("fields", [])]
            return "\n".join([message.content, *(e.get("description", "") for e in message.embeds), *fields])

        return say

    def _web(self) -> Say:
        conversation = f"contract-{time.monotonic_ns()}"

        def say(text: str) -> str:
            asked = self.bot.http.post("/api/ask", json={"question": text, "conversation": conversation})
            told: str = asked.json().get("text") or asked.json()["error"]
            return told

        return say

    def _terminal(self) -> Say:
        typed: list[str] = []

        def say(text: str) -> str:
            """The whole talk again, up to this line: the terminal ends with its input."""
            typed.append(text)
            entered, shown = io.StringIO("\n".join(typed) + "\n"), io.StringIO()
            kept, sys.stdin, sys.stdout = (sys.stdin, sys.stdout), entered, shown
            try:
                self.bot.yui.store.forget("console")
                asyncio.run(console.talk(self.bot.yui.conversations))
            finally:
                sys.stdin, sys.stdout = kept
            return shown.getvalue().split("> ")[len(typed)]

        return say


@pytest.fixture(scope="module")
def everywhere(tmp_path_factory: pytest.TempPathFactory, filled: Callable[[Path], Path]) -> Iterator[Everywhere]:
    base, gateway = Route.BASE, DiscordWebSocket.DEFAULT_GATEWAY
    with LinePlatform(secret=SECRET, access_token=TOKEN) as line, DiscordPlatform(token=TOKEN) as discord_:
        discord_.add_guild()
        discord_.add_channel("玄関")
        settings = Settings(
            data_dir=filled(tmp_path_factory.mktemp("everywhere")),
            line_channel_secret=SECRET,
            line_channel_access_token=TOKEN,
            line_api_base=line.base,
            discord_token=TOKEN,
            discord_api_base=discord_.api_base,
            discord_gateway=discord_.gateway,
            _env_file=None,
        )
        with Running(settings) as bot:
            discord_.wait_sent()  # it has introduced itself
            yield Everywhere(line, discord_, bot)
        assert not line.violations
        assert not discord_.violations
    Route.BASE, DiscordWebSocket.DEFAULT_GATEWAY = base, yarl.URL(str(gateway))


@pytest.mark.parametrize("platform", PLATFORMS)
@pytest.mark.parametrize("file", DIALOGUES, ids=lambda f: f.stem)
def test_a_dialogue_reads_the_same_everywhere(everywhere: Everywhere, platform: str, file: Path) -> None:
    say, told = everywhere.talk(platform), ""
    for number, line in enumerate(file.read_text("utf-8").splitlines(), 1):
        where = f"{file.name}, line {number}: {told!r}"
        if line.startswith(">"):
            told = say(line[1:].strip()).replace("\\", "") if line[1:].strip() else ""
        elif line.startswith("! "):
            assert line[2:] not in told, where
        elif line and not line.startswith("#") and told:
            assert line in told, where


@pytest.mark.parametrize("platform", PLATFORMS)
def test_commands_are_understood_everywhere(everywhere: Everywhere, platform: str) -> None:
    say = everywhere.talk(platform)
    assert "くわしく" in say("使い方")
    assert "【残さないもの】" in say("何を記録しているの?")
    easy = say("やさしい日本語で")
    assert "ふつうの日本語で" in easy
    assert "3人" in say("理事は何人?")
    assert "消しました" in say("わたしの記録を消して")
    assert "119" in say("仲間が倒れて意識がない")
