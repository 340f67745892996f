from __future__ import annotations

from pathlib import Path

import pytest

from bot.config import Settings, load, unknown_names
from bot.errors import UserMistake


def test_nothing_set_is_enough() -> None:
    settings = load()
    assert settings.database == "sqlite:///data/yui.db"
    assert settings.index == Path("data/chroma")
    assert settings.names == ("ボット", "結")


def test_env_file_is_read_and_the_environment_goes_before(monkeypatch: pytest.MonkeyPatch) -> None:
    Path(".env").write_text("YUI_PORT=9001\nYUI_BOT_NAME=ゆい, 結さん\nOTHER=1\n", "utf-8")
    assert load().port == 9001
    assert load().names == ("ゆい", "結さん")
    monkeypatch.setenv("YUI_PORT", "9002")
    assert load().port == 9002


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("YUI_PORT", "eighty"),
        ("YUI_PORT", "70000"),
        ("YUI_DATABASE_URL", "mysql://secret-password@x/y"),
        ("YUI_CHROMA_URL", "localhost:8000"),
        ("YUI_EMBEDDER", ""),
        ("YUI_PUBLIC_URL", "yui.example"),
    ],
)
def test_a_wrong_value_is_one_sentence_without_the_value(name: str, value: str) -> None:
    Path(".env").write_text(f"{name}={value}\n", "utf-8")
    with pytest.raises(UserMistake) as caught:
        load()
    told = str(caught.value)
    assert name in told
    assert ".env" in told
    assert "\n" not in told
    assert "secret-password" not in told


def test_a_file_that_is_no_text() -> None:
    Path(".env").write_bytes(b"YUI_PORT=\xff\xfe\x00")
    with pytest.raises(UserMistake, match="UTF-8"):
        load()


def test_postgresql_uses_the_driver_that_is_installed() -> None:
    assert Settings(database_url="postgresql://u@h/d", _env_file=None).database == "postgresql+psycopg://u@h/d"


def test_names_that_are_no_settings_are_told_with_what_was_meant(monkeypatch: pytest.MonkeyPatch) -> None:
    Path(".env").write_text("YUI_PROT=1\n# YUI_COMMENT=1\nYUI_PORT=1\n", "utf-8")
    monkeypatch.setenv("YUI_XYZZY_QUUX", "1")
    assert unknown_names() == ["YUI_PROT (YUI_PORT?)", "YUI_XYZZY_QUUX"]
