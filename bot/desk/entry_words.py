"""What is wrong with an entry, in the languages of the desk."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from bot.errors import UserMistake
from knowledge import Flaw

# key: (Japanese, English)
_FIELDS: Mapping[str, tuple[str, str]] = {
    "kind": ("種類", "Kind"),
    "title": ("題", "Title"),
    "source": ("出典", "Source"),
    "url": ("出典のアドレス", "Address of the source"),
    "article": ("条", "Article"),
    "as_of": ("いつの時点か", "True as of"),
    "audience": ("見られる人", "Who may see it"),
    "co_op": ("組合の名前", "Name of the co-op"),
    "starts": ("始まる日", "First day"),
    "ends": ("終わる日", "Last day"),
    "place": ("場所", "Place"),
    "field": ("分野", "Field"),
    "legal_form": ("法人格", "Legal form"),
    "origin": ("もとの形", "What it grew out of"),
    "partners": ("協力先", "Partners"),
    "funding": ("お金の出どころ", "Funding"),
    "tags": ("探す言葉", "Search words"),
    "heading": ("見出し", "Heading"),
    "short": ("短い答え", "Short answer"),
    "detail": ("くわしい説明", "Detail"),
    "asks": ("聞き方", "Ways of asking"),
    "easy": ("やさしい日本語", "Easy Japanese"),
    "en": ("英語", "English"),
    "known": ("分かっているか", "Whether it is known"),
    "id": ("番号", "Id"),
}
_FLAWS: Mapping[str, tuple[str, str]] = {
    "empty": ("「{field}」が空です。書いてください。", "“{field}” is empty. Please fill it in."),
    "too_long": ("「{field}」が長すぎます。{value}文字までにしてください。", "“{field}” is too long: {value} characters at most."),
    "too_many": ("「{field}」が多すぎます。{value}個までにしてください。", "“{field}” has too many: {value} at most."),
    "no_date": (
        "「{field}」の「{value}」は日付ではありません。2026-05-01 のように書いてください。",
        "“{value}” in “{field}” is not a date. Write it as 2026-05-01.",
    ),
    "no_address": (
        "「{field}」の「{value}」はアドレスではありません。https:// から書いてください。",
        "“{value}” in “{field}” is not an address. Begin with https://.",
    ),
    "no_article": (
        "「{value}」という条は労働者協同組合法にありません。第22条、第94条の3、附則第4条のように書いてください。",
        "The Act has no article “{value}”. Write it as 第22条, 第94条の3 or 附則第4条.",
    ),
    "no_kind": ("種類を選んでください。", "Choose a kind."),
    "no_word": (
        "「{field}」の「{value}」は、事例の言葉の表にありません。表にある言葉を使ってください。",
        "“{value}” in “{field}” is not in the table of words for cases. Use a word of the table.",
    ),
    "no_prefecture": (
        "場所の「{value}」は都道府県ではありません。はじめに都道府県を書いてください(例: 長野県、上田市)。",
        "“{value}” is not a prefecture. Write the prefecture first (長野県、上田市).",
    ),
    "number": (
        "「{field}」の数「{value}」が、ほかの欄にありません。数をまちがえていないか確かめて、短い答えかくわしい説明にも書いてください。",
        "The number “{value}” in “{field}” stands in no other field. Check it, and put it into the short answer or the detail too.",
    ),
    "twice": (
        "聞き方「{value}」が2か所にあります。どちらか1つにしてください。",
        "The way of asking “{value}” stands in two parts. Keep one.",
    ),
    "ends_before": ("終わる日が始まる日より前です。", "The last day is before the first."),
    "not_yours": (
        "見られる人は、あなたの組合だけにできます。広く見せたいときは、連合会の係にたのんでください。",
        "You can make it visible for your own co-op only. Ask a coordinator of the federation to show it to more people.",
    ),
    "broken_row": (
        'この行は読み取れません。引用符(")が閉じているか、文字化けがないか、列の数がほかの行と同じか、確かめてください。',
        "This row cannot be read. Look for an open quotation mark, garbled characters, or another number of columns.",
    ),
    "same_title": (
        "{value}行目と同じ題です。題を変えるか、1つの行にまとめてください。",
        "Row {value} has the same title. Change the title, or make one row of the two.",
    ),
    "by_hand": (
        "「{value}」は画面で直されているので、そのままにします。",
        "“{value}” has been edited here and is left as it is.",
    ),
    "taken": (
        "「{value}」と同じ番号の知識が別にあるので、入れません。番号を変えてください。",
        "“{value}” is left out: another entry has its id. Give it another one.",
    ),
    "not_this_audience": (
        "見られる人「{value}」は、ここでは選べません。公開、連合会、組合、または組合のIDを書いてください。",
        "“{value}” cannot be chosen as audience here. Write 公開, 連合会, 組合 or coop:ID.",
    ),
    "no_co_op": ("「{value}」という組合はありません。", "There is no co-op “{value}”."),
}


class Flawed(UserMistake):
    """An entry that cannot be taken as it is. As text it is Japanese, a line for each flaw."""

    def __init__(self, flaws: Sequence[Flaw]) -> None:
        self.flaws = tuple(flaws)
        super().__init__("\n".join(told(f, "ja") for f in flaws))

    def said(self, language: str) -> str:
        return "\n".join(told(f, language) for f in self.flaws)


def told(flaw: Flaw, language: str) -> str:
    """One flaw as a sentence."""
    return _FLAWS[flaw.what][_column(language)].format(field=field_name(flaw.field, language), value=flaw.value)


def field_name(field: str, language: str) -> str:
    return _FIELDS[field][_column(language)]


def _column(language: str) -> int:
    return 0 if language.startswith("ja") else 1
