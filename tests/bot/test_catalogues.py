"""Every language says all there is to say, and names commands as they are understood."""

from __future__ import annotations

import re
import string
import tomllib
from collections.abc import Callable, Iterator, Mapping
from importlib import resources

import pytest

from bot import round_words
from bot.announcing import talk as announcing
from bot.intents import Intent, recognise
from bot.tips import words as tip_words

LANGUAGES = sorted(f.name.removesuffix(".toml") for f in resources.files("bot.catalogues").iterdir() if f.name.endswith(".toml"))
# Words in quotation marks that are no commands: what a member might ask, and a word that the bot itself says.
EXAMPLES = {"労協は何人から作れますか", "労協は 何人から 作れますか", "労協は何人から作れる?", "何人から作れる?"}
EXAMPLES |= {"連携 コード", "連携 CODE"}  # the code itself stands there
EXAMPLES |= {"居場所の資金は?", "創立総会の公告はいつまで?", "わからない", "、"}
# Words that other parts take than the commands, with how they know them.
ELSEWHERE: Mapping[str, Callable[[str], object]] = {
    "確認": round_words.begins,
    "わたしのコツ": tip_words.page,
    "お知らせ:": lambda text: announcing.announces(text) is not None,
}
LABELS = {"more": Intent.MORE, "easy": Intent.EASY}  # pressed, they are sent as they read


def catalogue(language: str) -> Mapping[str, str]:
    return tomllib.loads((resources.files("bot.catalogues") / f"{language}.toml").read_text("utf-8"))


def placeholders(text: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name is not None}


def quoted(texts: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """Each word in quotation marks, with the key of the sentence it stands in."""
    for key, text in texts.items():
        for japanese, latin in re.findall(r'「([^」]+)」|"([^"]+)"', text):
            yield key, japanese or latin


def test_there_are_the_languages_members_read() -> None:
    assert {"ja", "ja-easy", "en", "ko", "pt", "zh", "vi"} <= set(LANGUAGES)


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_sentence_is_there_with_the_same_placeholders(language: str) -> None:
    japanese, own = catalogue("ja"), catalogue(language)
    assert own.keys() == japanese.keys()
    assert {key: placeholders(text) for key, text in own.items()} == {key: placeholders(text) for key, text in japanese.items()}
    assert not [key for key, text in own.items() if not text.strip()]


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_sentence_is_much_longer_than_in_japanese(language: str) -> None:
    japanese, own = catalogue("ja"), catalogue(language)
    assert not {key: len(text) for key, text in own.items() if len(text) > 2 * len(japanese[key]) + 120}


@pytest.mark.parametrize("language", LANGUAGES)
def test_commands_are_named_as_they_are_understood(language: str) -> None:
    named = {w: key for key, w in quoted(catalogue(language)) if "{" not in w and w not in EXAMPLES and w not in ELSEWHERE}
    assert {word: key for word, key in named.items() if recognise(word) is Intent.QUESTION} == {}


@pytest.mark.parametrize(("word", "is_known"), ELSEWHERE.items())
def test_words_of_talks_are_known_where_they_belong(word: str, is_known: Callable[[str], object]) -> None:
    assert is_known(word)
    assert not is_known("何人から作れる?")


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_button_of_the_round_can_be_typed(language: str) -> None:
    texts = catalogue(language)
    for action in (*round_words.TIP_ACTIONS, *round_words.QUESTION_ACTIONS):
        assert len(texts[f"round_{action}"]) <= 20
        assert round_words.typed(f"2 {texts[f'round_{action}']}") == round_words.Typed(2, action)
    assert round_words.undoes(texts["round_undo"])
    assert round_words.leaves(texts["round_leave"])


@pytest.mark.parametrize("language", LANGUAGES)
def test_what_is_said_of_a_command_is_what_it_does(language: str) -> None:
    texts = catalogue(language)
    assert {word: recognise(texts[word]) for word in LABELS} == LABELS
    does = {key: {recognise(word) for k, word in quoted(texts) if k == key} for key in texts}
    assert does["larger_kept"] == {Intent.SMALLER}
    assert does["easy_kept"] == does["english_kept"] == {Intent.PLAIN}
    assert {Intent.RECORDS, Intent.FORGET} <= does["joined"] & does["followed"]
    assert does["records"] == {Intent.FORGET}
