"""Why a file cannot be taken in, in the languages of the desk. The readers say it in English, for the command line."""

from __future__ import annotations

import re

# What a reader's sentence begins with (a regular expression; its brackets are {0}, {1} …), and the Japanese for it.
_SENTENCES: tuple[tuple[str, str], ...] = (
    (r"it is empty", "中身が空です。中身のあるファイルを選んでください。"),
    (
        r"it is called (\w+) but is (\w+) inside",
        "名前は {0} ですが、中身は {1} です。中身に合った名前にするか、正しいファイルを選んでください。",
    ),
    (r"it is no (\w+) file inside", "中身が {0} ではありません。もとのプログラムで開いて、保存しなおしてください。"),
    (
        r"it is damaged or no real (\w+) file",
        "こわれているか、本物の {0} ではありません。もとのプログラムで開いて、保存しなおしてください。",
    ),
    (r"it is damaged", "こわれています。もう一度コピーするか、保存しなおしてください。"),
    (r"it is locked with a password", "パスワードがかかっています。パスワードのないものを保存して、選んでください。"),
    (r"it is in an old Office format", "古い形式のOfficeファイルです。docx、xlsx、pptx のどれかで保存しなおしてください。"),
    (r"it is a picture|it holds only pictures", "文字ではなく絵です。文字を読み取って(OCR)から、入れてください。"),
    (r"it is an archive of another kind", "まとめたファイル(zipなど)です。ほどいて、中のファイルを1つずつ入れてください。"),
    (
        r"its type is not known",
        "読める種類のファイルではありません。md、txt、csv、xlsx、docx、pptx、pdf、html のどれかにしてください。",
    ),
    (r"it has more than ([\d,]+) pages", "ページが多すぎます({0}ページまで)。分けて入れてください。"),
    (r"it has more than ([\d,]+) rows", "行が多すぎます({0}行まで)。分けて入れてください。"),
    (r"it has a sheet with more than (\d+) columns", "列が多すぎます({0}列まで)。いる列だけにしてください。"),
    (r"it makes more than ([\d,]+) passages", "長すぎます。いくつかに分けて入れてください。"),
    (r"it is larger than (\d+) MB|it unpacks to more than (\d+) MB", "大きすぎます。分けるか、絵を取りのぞいてください。"),
    (r"it is not a table in CSV", "表として読めません。UTF-8のCSVで保存しなおしてください。"),
    (r"it is not text", "文字のファイルではありません。UTF-8で保存しなおしてください。"),
    (r"its characters are in no encoding", "文字の形式が分かりません。UTF-8で保存しなおしてください。"),
    (r"it holds no text", "文字がありません。文字のあるファイルを選んでください。"),
    (r"it is not a page|its parts are nested too deeply", "ページとして読めません。文字だけをファイルに保存して、入れてください。"),
    (r"it is for .* only", "この知識は、選んだ範囲の人のものではありません。見られる人を選びなおしてください。"),
    (r"the short answer of (\S+) has (\d+) characters, (\d+)", "{0} の短い答えが{1}文字です。{2}文字までにしてください。"),
    (r"unknown field (\S+?)(?: in a section)?\.$", "「{0}」という欄はありません。"),
    (r"the field (\w+) is missing", "「{0}」の欄がありません。"),
    (r"(\S+) is not an article of the Act", "「{0}」という条は労働者協同組合法にありません。"),
    (r"(?:\w+: )?(\S+) is not a date", "「{0}」は日付ではありません。2026-05-01 のように書いてください。"),
    (
        r"there is no front matter|(?:\S+: )?the front matter is not",
        "はじめの「---」の間が決まりどおりではありません。書き方を確かめてください。",
    ),
    (r"a heading has no anchor|the anchor \S+ stands twice", "見出しの番号({#…})が抜けているか、同じものが2つあります。"),
    (r"the (id|kind) (.+?) is (?:not made|none) of", "{0} の「{1}」が決まりに合いません。"),
    (r"the id (\S+) is taken", "「{0}」と同じ番号の知識が別にあります。番号を変えてください。"),
    (r"known: (\S+) is neither", "known は true か false にしてください。"),
    (r"(\S+): (\w+) has (\S+), which is not in", "{1} の「{2}」は、事例の言葉の表にありません。"),
    (r"(\S+): (\S+) is not a prefecture", "「{1}」は都道府県ではありません。"),
)  # fmt: skip
_UNKNOWN = "このファイルは読み取れませんでした。もとのプログラムで開いて保存しなおしてから、もう一度ためしてください。"


def told(sentence: str, language: str) -> str:
    """A reader's sentence in the reader's language, with a capital letter in English."""
    if not language.startswith("ja"):
        return sentence[:1].upper() + sentence[1:]
    for pattern, japanese in _SENTENCES:
        if m := re.match(pattern, sentence):
            return japanese.format(*(g or "" for g in m.groups())) if "{" in japanese and "{#" not in japanese else japanese
    return _UNKNOWN
