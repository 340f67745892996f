"""The Discord adapter in a simulated Discord, which knows permissions and the life of an interaction; and its rendering."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import simcord

from adapters.discord import rendering
from adapters.discord.client import Client
from bot.bootstrap import Yui
from bot.messages import Act, Choice, Reply


async def until(condition: Callable[[], object]) -> None:
    """The bot works in threads of its own, which the simulation does not wait for."""
    for _ in range(500):
        if condition():
            return
        await asyncio.sleep(0.01)
    raise AssertionError("it did not come in 5 s")


def test_command_mention_button_and_silence(shipped: Yui) -> None:
    async def talk() -> None:
        client = Client(shipped)
        async with simcord.run(client) as env:
            channel = env.create_guild().create_text_channel("相談")
            alice = env.guild.add_member(env.create_user("alice"))
            asked = await alice.slash(channel, "ask", question="理事は何人?")
            assert asked.acknowledged
            assert not asked.ephemeral
            await until(lambda: asked.response and asked.response.embeds)
            assert asked.response
            assert "3人" in str(asked.response.embeds[0].description)
            assert client.user
            await alice.send(channel, f"<@{client.user.id}> 監事の任期は?")
            await until(lambda: channel.last_message and channel.last_message.embeds)
            answer = channel.last_message
            assert answer
            assert "4年" in str(answer.embeds[0].description)
            pressed = await alice.click(answer, label="👍 役に立った")
            await until(lambda: pressed.response)
            assert pressed.ephemeral
            await alice.send(channel, "みんなの雑談")
            await asyncio.sleep(0.2)
            assert channel.last_message
            assert channel.last_message.content == "みんなの雑談"

    asyncio.run(talk())


def reply(text: str, **about: object) -> Reply:
    return Reply(Act.ANSWER, text, **about)  # type: ignore[arg-type]


def test_limits_hold_for_the_longest_reply() -> None:
    citations = [{"source": f"労働者協同組合法 [第{n}条] **太字**", "url": f"https://example.org/{n}"} for n in range(60)]
    long = reply(
        "総会_の*招集*。" * 900,
        choices=tuple(Choice(str(n) + "話題" * 60) for n in range(3)),
        answer={"citations": citations, "answered": True, "language": "ja"},
        rating="a" * 37,
    )
    embed = rendering.embed(long)
    assert embed
    assert embed.description
    assert len(embed.description) <= 4_096
    assert len(embed) <= 6_000
    assert all(len(f.value or "") <= 1_024 for f in embed.fields)
    assert len(rendering.plain(long)) <= 2_000
    buttons = rendering.buttons(long)
    assert len(buttons) == 5
    assert all(len(b.label) <= 80 and len(f"yui:{b.what}:{b.data}") <= 100 for b in buttons)


def test_marks_in_a_text_are_shown_and_not_obeyed() -> None:
    assert rendering.plain(reply("*太字* `x` ||隠す||")) == r"\*太字\* \`x\` \|\|隠す\|\|"
    shown = rendering.embed(
        reply("本文", answer={"citations": [{"source": "[偽](https://evil.example)", "url": "https://a.example"}]})
    )
    assert shown
    assert "](https://evil" not in str(shown.fields[0].value)
