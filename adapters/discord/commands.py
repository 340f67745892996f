"""What people find behind the slash, and behind a message's menu of apps."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import discord
from discord import app_commands

from adapters.discord import tips
from bot.linking import is_about_code

if TYPE_CHECKING:
    from adapters.discord.client import Client

# Default names are English; Japanese clients see the Japanese ones.
_JAPANESE = {
    "ask": "質問",
    "question": "内容",
    "Ask about worker co-operatives": "労働者協同組合のことを聞く",
    "What do you want to know?": "聞きたいことを、ふつうの言葉で",
    "tip": "コツ",
    "Tell what worked for you": "うまくいったこと・気をつけることを、ほかの組合に伝える",
    "review": "確認",
    "For coordinators: what waits for a decision": "係の人へ:確認を待っているコツと質問",
    "link": "連携",
    "code": "コード",
    "Use a code you were given": "もらったコードを使う(組合とつなぐ、自分のLINEとつなぐ)",
    "Such as ABCD-EFGH": "例:ABCD-EFGH",
    "Save as tip": "コツとして登録",
}


class Translator(app_commands.Translator):
    async def translate(
        self, string: app_commands.locale_str, locale: discord.Locale, _: app_commands.TranslationContextTypes
    ) -> str | None:
        return _JAPANESE.get(string.message) if locale is discord.Locale.japanese else None


def add_to(tree: app_commands.CommandTree[Any], client: Client) -> None:
    """Put everything there is to choose on the tree."""

    @tree.command(name="ask", description="Ask about worker co-operatives")
    @app_commands.describe(question="What do you want to know?")
    @_everywhere
    async def ask(interaction: discord.Interaction, question: app_commands.Range[str, 1, 1_000]) -> None:
        await client.interactions.answer(interaction, question)

    @tree.command(name="tip", description="Tell what worked for you")
    @_everywhere
    async def tip(interaction: discord.Interaction) -> None:
        await tips.open_form(interaction)

    @tree.command(name="review", description="For coordinators: what waits for a decision")
    @_everywhere
    async def review(interaction: discord.Interaction) -> None:
        await client.interactions.answer(interaction, "確認", alone=True)

    @tree.command(name="link", description="Use a code you were given")
    @app_commands.describe(code="Such as ABCD-EFGH")
    @_everywhere
    async def link(interaction: discord.Interaction, code: app_commands.Range[str, 1, 40]) -> None:
        if is_about_code(said := f"連携 {code}"):
            await client.interactions.answer(interaction, said, hidden=True)
        else:  # mistyped, it must not become a question that coordinators read
            await tips.hint(interaction, "code_wrong")

    @tree.context_menu(name="Save as tip")
    @_everywhere
    async def save_as_tip(interaction: discord.Interaction, message: discord.Message) -> None:
        await tips.take_message(client, interaction, message)


def _everywhere(command: Any) -> Any:
    """In servers the bot was invited to, and alone with it."""
    installed = app_commands.allowed_installs(guilds=True, users=False)
    return installed(app_commands.allowed_contexts(guilds=True, dms=True, private_channels=False)(command))
