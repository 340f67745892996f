import stat
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.errors import UserMistake
from bot.signing import Signer, load_key

SIGNER = Signer(b"key")


@given(st.text(max_size=40), st.text(max_size=10), st.text(max_size=10))
def test_only_what_was_signed_for_this_use_verifies(value: str, purpose: str, other: str) -> None:
    signed = SIGNER.sign(purpose, value)
    assert SIGNER.verify(purpose, signed) == value
    assert Signer(b"other").verify(purpose, signed) is None
    if other != purpose and ":" not in purpose + other + value:
        assert SIGNER.verify(other, signed) is None


@given(st.text(max_size=80))
def test_what_somebody_made_up_does_not(text: str) -> None:
    assert SIGNER.verify("rating", text) is None


def test_the_key_is_made_once_and_is_for_this_user_only(tmp_path: Path) -> None:
    key = load_key(tmp_path / "data")
    assert len(key) == 32
    assert load_key(tmp_path / "data") == key
    assert stat.S_IMODE((tmp_path / "data" / "secret.key").stat().st_mode) == 0o600


def test_a_folder_that_cannot_be(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(UserMistake, match="YUI_DATA_DIR"):
        load_key(tmp_path / "file")
