"""Discord's objects as the service writes them, whole, and what its app lets people do with them."""

from __future__ import annotations

import datetime as dt
import itertools
import json
import re
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from tests.discord_schema import Json, walk

ADD_REACTIONS, ADMINISTRATOR, MANAGE_GUILD = 1 << 6, 1 << 3, 1 << 5
VIEW_CHANNEL, SEND_MESSAGES, MANAGE_MESSAGES, EMBED_LINKS = 1 << 10, 1 << 11, 1 << 13, 1 << 14
ATTACH_FILES, READ_MESSAGE_HISTORY, MENTION_EVERYONE, USE_APPLICATION_COMMANDS = 1 << 15, 1 << 16, 1 << 17, 1 << 31
CREATE_PUBLIC_THREADS, SEND_MESSAGES_IN_THREADS = 1 << 35, 1 << 38
EVERYTHING = (1 << 53) - 1
ORDINARY = (
    VIEW_CHANNEL | SEND_MESSAGES | EMBED_LINKS | ATTACH_FILES | READ_MESSAGE_HISTORY | ADD_REACTIONS
    | CREATE_PUBLIC_THREADS | SEND_MESSAGES_IN_THREADS | USE_APPLICATION_COMMANDS
)  # fmt: skip

KINDS = {"text": 0, "dm": 1, "announcement": 5, "announcement_thread": 10, "thread": 11, "forum": 15}
CROSSPOSTED, EPHEMERAL, LOADING, REQUIRE_TAG = 1, 64, 128, 1 << 4
_counter = itertools.count()


def snowflake() -> int:
    """A fresh id. It tells the time it was made, as clients read from it."""
    return (int((time.time() - 1420070400) * 1000) << 22) | (next(_counter) & 0x3FFFFF)


def now() -> str:
    return dt.datetime.now(dt.UTC).isoformat()


class NotOffered(AssertionError):
    """A person could not do this in Discord's own app."""


@dataclass(eq=False)
class User:
    name: str
    id: int = field(default_factory=snowflake)
    bot: bool = False
    locale: str = "ja"
    accepts_dms: bool = True

    @property
    def mention(self) -> str:
        return f"<@{self.id}>"

    def payload(self) -> Json:
        return {
            "id": str(self.id), "username": self.name.lower().replace(" ", "_"), "global_name": None if self.bot else self.name,
            "discriminator": "0", "avatar": None, "bot": self.bot, "system": False, "public_flags": 0, "flags": 0, "banner": None,
            "accent_color": None, "avatar_decoration_data": None, "collectibles": None, "primary_guild": None,
        }  # fmt: skip


@dataclass(eq=False)
class Role:
    guild: Guild
    name: str
    permissions: int = 0
    mentionable: bool = False
    managed: bool = False
    id: int = field(default_factory=snowflake)

    @property
    def mention(self) -> str:
        return f"<@&{self.id}>"

    def payload(self) -> Json:
        return {
            "id": str(self.id), "name": self.name, "permissions": str(self.permissions), "mentionable": self.mentionable,
            "position": self.guild.roles.index(self), "color": 0, "hoist": False, "managed": self.managed, "icon": None,
            "colors": {"primary_color": 0, "secondary_color": None, "tertiary_color": None}, "unicode_emoji": None, "flags": 0,
        }  # fmt: skip


@dataclass(eq=False)
class Guild:
    name: str
    locale: str = "ja"
    id: int = field(default_factory=snowflake)
    owner: User = field(default_factory=lambda: User("Owner"))
    roles: list[Role] = field(default_factory=list)
    members: dict[User, list[Role]] = field(default_factory=dict)
    channels: list[Channel] = field(default_factory=list)
    joined_at: str = field(default_factory=now)

    def __post_init__(self) -> None:
        self.roles.append(Role(self, "@everyone", ORDINARY, id=self.id))  # this role always has the guild's id
        self.members[self.owner] = []

    def permissions(self, user: User) -> int:
        if user is self.owner:
            return EVERYTHING
        bits = self.roles[0].permissions
        for role in self.members.get(user, []):
            bits |= role.permissions
        return EVERYTHING if bits & ADMINISTRATOR else bits

    def member(self, user: User, permissions: int | None = None) -> Json:
        """Without `user` inside, as messages carry it; `permissions` only stands in interactions."""
        extra = {} if permissions is None else {"permissions": str(permissions), "unusual_dm_activity_until": None}
        return extra | {
            "roles": [str(r.id) for r in self.members.get(user, [])], "nick": None, "avatar": None, "banner": None, "flags": 0,
            "joined_at": self.joined_at, "premium_since": None, "pending": False, "communication_disabled_until": None,
            "collectibles": None, "avatar_decoration_data": None, "deaf": False, "mute": False,
        }  # fmt: skip

    def partial(self) -> Json:
        return {"id": str(self.id), "locale": self.locale, "features": ["COMMUNITY"]}

    def payload(self) -> Json:
        return {
            "id": str(self.id), "name": self.name, "icon": None, "description": None, "home_header": None, "splash": None,
            "discovery_splash": None, "features": ["COMMUNITY"], "banner": None, "owner_id": str(self.owner.id),
            "application_id": None, "region": "japan", "afk_channel_id": None, "afk_timeout": 300, "system_channel_id": None,
            "system_channel_flags": 0, "widget_enabled": False, "widget_channel_id": None, "verification_level": 0,
            "roles": [r.payload() for r in self.roles], "default_message_notifications": 1, "mfa_level": 0,
            "explicit_content_filter": 0, "max_presences": None, "max_members": 500000, "max_stage_video_channel_users": 50,
            "max_video_channel_users": 25, "vanity_url_code": None, "premium_tier": 0, "premium_subscription_count": 0,
            "preferred_locale": self.locale, "rules_channel_id": None, "safety_alerts_channel_id": None,
            "public_updates_channel_id": None, "premium_progress_bar_enabled": False, "nsfw": False, "nsfw_level": 0, "emojis": [],
            "premium_progress_bar_enabled_user_updated_at": None, "stickers": [], "incidents_data": None,
        }  # fmt: skip

    def created(self, bot: User, everybody: bool) -> Json:
        """GUILD_CREATE of a join (after READY it adds `unavailable: false`). Without the members' intent only the bot is listed."""
        people = self.members if everybody else [bot]
        visible = [c for c in self.channels if c.permissions(bot) & VIEW_CHANNEL or not c.thread]
        return self.payload() | {
            "joined_at": self.joined_at, "large": False, "member_count": len(self.members),
            "voice_states": [], "presences": [], "stage_instances": [], "guild_scheduled_events": [], "soundboard_sounds": [],
            "members": [self.member(u) | {"user": u.payload()} for u in people],
            "channels": [c.payload() for c in visible if not c.thread], "threads": [c.payload() for c in visible if c.thread],
        }  # fmt: skip


@dataclass(eq=False)
class Channel:
    kind: str
    name: str = ""
    guild: Guild | None = None
    parent: Channel | None = None
    recipient: User | None = None
    owner: User | None = None
    overwrites: dict[User | Role, tuple[int, int]] = field(default_factory=dict)  # who: (allow, deny)
    tags: dict[str, int] = field(default_factory=dict)
    require_tag: bool = False
    applied_tags: list[int] = field(default_factory=list)
    auto_archive: int = 4320
    locked: bool = False
    archived: bool = False
    id: int = field(default_factory=snowflake)
    messages: list[Message] = field(default_factory=list)

    @property
    def type(self) -> int:
        return KINDS[self.kind]

    @property
    def thread(self) -> bool:
        return "thread" in self.kind

    @property
    def mention(self) -> str:
        return f"<#{self.id}>"

    def permissions(self, user: User) -> int:
        """Guild roles, then overwrites for everyone, for roles and for the member; a thread has its parent's."""
        if self.parent is not None and self.thread:
            return self.parent.permissions(user)
        if self.guild is None:
            return ORDINARY if self.recipient is not None else 0
        bits = self.guild.permissions(user)
        if bits == EVERYTHING:
            return bits
        for level in ([self.guild.roles[0]], self.guild.members.get(user, []), [user]):
            found = [self.overwrites[who] for who in level if who in self.overwrites]
            for _, deny in found:
                bits &= ~deny
            for allow, _ in found:
                bits |= allow
        return bits if bits & VIEW_CHANNEL else 0

    def payload(self) -> Json:
        last = str(self.messages[-1].id) if self.messages else None
        common: Json = {"id": str(self.id), "type": self.type, "last_message_id": last, "last_pin_timestamp": None, "flags": 0}
        if self.guild is None:
            return common | {"recipients": [self.recipient.payload()] if self.recipient else []}
        common |= {"guild_id": str(self.guild.id), "name": self.name, "rate_limit_per_user": 0}
        common["parent_id"] = str(self.parent.id) if self.parent else None
        if self.thread:
            meta = {"archived": self.archived, "archive_timestamp": self.guild.joined_at, "locked": self.locked}
            meta |= {"auto_archive_duration": self.auto_archive, "create_timestamp": self.guild.joined_at}
            return common | {
                "owner_id": str((self.owner or self.guild.owner).id), "thread_metadata": meta, "message_count": len(self.messages),
                "member_count": 1, "total_message_sent": len(self.messages), "applied_tags": [str(t) for t in self.applied_tags],
            }  # fmt: skip
        common |= {
            "position": self.guild.channels.index(self), "topic": None, "nsfw": False, "permission_overwrites": [
                {"id": str(who.id), "type": int(isinstance(who, User)), "allow": str(allow), "deny": str(deny)}
                for who, (allow, deny) in self.overwrites.items()
            ],
        }  # fmt: skip
        if self.kind == "forum":
            common |= {
                "flags": REQUIRE_TAG if self.require_tag else 0, "default_reaction_emoji": None, "default_sort_order": None,
                "default_forum_layout": 0, "default_tag_setting": None, "available_tags": [
                    {"id": str(i), "name": n, "moderated": False, "emoji_id": None, "emoji_name": None}
                    for n, i in self.tags.items()
                ],
            }  # fmt: skip
        return common

    def partial(self, user: User) -> Json:
        """As interactions name it."""
        return self.payload() | {"permissions": str(self.permissions(user))}


@dataclass(frozen=True)
class Pings:
    """Whom a message would ring."""

    everyone: bool = False
    users: frozenset[int] = frozenset()
    roles: frozenset[int] = frozenset()

    def __bool__(self) -> bool:
        return self.everyone or bool(self.users) or bool(self.roles)


@dataclass(eq=False)
class Message:
    channel: Channel
    author: User
    content: str = ""
    embeds: list[Json] = field(default_factory=list)
    components: list[Json] = field(default_factory=list)
    flags: int = 0
    allowed_mentions: Json | None = None
    reference: Message | None = None
    forwarded: Message | None = None
    message_reference: Json | None = None
    pings: Pings = field(default_factory=Pings)
    nonce: str | int | None = None
    mentions: list[User] = field(default_factory=list)
    files: dict[str, bytes] = field(default_factory=dict)
    attachments: list[Json] = field(default_factory=list)
    reactions: set[str] = field(default_factory=set)
    id: int = field(default_factory=snowflake)
    at: float = field(default_factory=time.monotonic)
    timestamp: str = field(default_factory=now)
    edited: str | None = None
    deleted: bool = False
    visible: bool | None = None  # whether a bot without the message-content intent sees what it says; None: Discord's rule
    via: str = "channel"  # or "interaction"
    interaction: Json | None = None
    versions: list[str] = field(default_factory=list)

    @property
    def ephemeral(self) -> bool:
        return bool(self.flags & EPHEMERAL)

    @property
    def loading(self) -> bool:
        return bool(self.flags & LOADING)

    def payload(self, bot: User, content_intent: bool = True) -> Json:
        """As a bot gets it: without the intent, what is said to others arrives empty."""
        shown = content_intent or self.channel.guild is None or self.author is bot or bot in self.mentions
        shown = shown if self.visible is None else self.visible
        found: Json = {
            "id": str(self.id), "channel_id": str(self.channel.id), "author": self.author.payload(), "timestamp": self.timestamp,
            "type": 20 if self.interaction else 19 if self.reference else 0, "content": self.content if shown else "",
            "embeds": self.embeds if shown else [], "components": self.components if shown else [],
            "attachments": self.attachments if shown else [], "edited_timestamp": self.edited, "tts": False, "pinned": False,
            "mention_everyone": self.pings.everyone, "mentions": [u.payload() for u in self.mentions],
            "mention_roles": [str(r) for r in sorted(self.pings.roles)], "flags": self.flags, "sticker_items": [],
        }  # fmt: skip
        if self.nonce is not None:
            found["nonce"] = self.nonce
        if self.forwarded:  # a picture of what was forwarded, kept back as its own words would be
            kept = "type content embeds attachments timestamp edited_timestamp flags mentions sticker_items".split()  # noqa: SIM905
            picture = self.forwarded.payload(bot)
            found["message_snapshots"] = [{"message": {k: picture[k] for k in kept}}] if shown else []
        if self.interaction:
            found |= {"interaction_metadata": self.interaction, "webhook_id": str(bot.id), "application_id": str(bot.id)}
        if self.message_reference:
            found["message_reference"] = self.message_reference
        if self.message_reference and not self.forwarded:
            gone = self.reference is None or self.reference.deleted
            found["referenced_message"] = None if gone or not self.reference else self.reference.payload(bot, content_intent)
        return found

    def event(self, bot: User, content_intent: bool) -> Json:
        """As the gateway tells it."""
        guild = self.channel.guild
        found = self.payload(bot, content_intent)
        if guild is None:
            return found | {"channel_type": 1}
        for user in found["mentions"]:
            who = next((m for m in guild.members if str(m.id) == user["id"]), None)
            if who:
                user["member"] = guild.member(who)
        return found | {"guild_id": str(guild.id), "member": guild.member(self.author), "channel_type": self.channel.type}

    def component(self, custom_id: str) -> Json:
        """A button or menu of this message."""
        for found in walk(self.components):
            if found.get("custom_id") == custom_id:
                return found
        present = [c["custom_id"] for c in walk(self.components) if "custom_id" in c]
        raise AssertionError(f"The message has no component {custom_id!r}, only {present}.")


def pings(content: str, allowed: Json | None, channel: Channel, bot: User, via: str, replied: User | None) -> Pings:
    """Whom Discord would ring: what the text names, what `allowed_mentions` opens, what the bot may."""
    parse = (["users", "roles", "everyone"] if via == "channel" else ["users"]) if allowed is None else allowed.get("parse") or []
    users = {int(i) for i in re.findall(r"<@!?(\d+)>", content)}
    roles = {int(i) for i in re.findall(r"<@&(\d+)>", content)}
    if "users" not in parse:
        users &= {int(i) for i in (allowed or {}).get("users") or []}
    if "roles" not in parse:
        roles &= {int(i) for i in (allowed or {}).get("roles") or []}
    if replied is not None and ((allowed or {}).get("replied_user") or allowed is None):
        users.add(replied.id)
    may = bool(channel.permissions(bot) & MENTION_EVERYONE)
    known = {r.id: r for r in channel.guild.roles} if channel.guild else {}
    everyone = "everyone" in parse and may and re.search("@(everyone|here)", content) is not None
    return Pings(everyone, frozenset(users), frozenset(r for r in roles if r in known and (may or known[r].mentionable)))


def filled(component: Json, given: dict[str, Any]) -> Json:
    """A modal's component as it is sent back; what is used of `given` is taken out."""
    found: Json = {"type": component["type"], "id": component.get("id", 0)}
    if component["type"] == 1:
        return found | {"components": [filled(c, given) for c in component["components"]]}
    if component["type"] == 18:
        return found | {"component": filled(component["component"], given)}
    if "custom_id" not in component:
        return found
    custom_id, kind = component["custom_id"], component["type"]
    preset = [o["value"] for o in component.get("options") or [] if o.get("default")]
    value = given.pop(custom_id, component.get("value") or "" if kind == 4 else preset)
    if kind != 4:
        values = [value] if isinstance(value, str) else [str(v) for v in value]
        check_values(component, values)
        single = {"value": values[0] if values else None} if kind == 21 else {"values": values}
        return found | {"custom_id": custom_id} | single
    low = max(component.get("min_length") or 0, int(component.get("required", True)))
    if not low <= len(value) <= (component.get("max_length") or 4000) and (value or component.get("required", True)):
        raise NotOffered(f"{custom_id!r} does not take a text of {len(value)}.")
    return found | {"custom_id": custom_id, "value": value}


def command_options(command: str, node: Json, given: Mapping[str, Any], focused: str = "") -> list[Json]:
    """The options in the payload's form, held to what was registered."""
    inside = command.split()[1:]
    if inside:
        sub = next((o for o in node.get("options") or [] if o["type"] in (1, 2) and o["name"] == inside[0]), None)
        if sub is None:
            raise NotOffered(f"{node['name']} has no {inside[0]}.")
        rest = " ".join(inside)
        return [{"type": sub["type"], "name": sub["name"], "options": command_options(rest, sub, given, focused)}]
    known = {o["name"]: o for o in node.get("options") or []}
    if any(o["type"] in (1, 2) for o in known.values()) or set(given) - set(known):
        raise NotOffered(f"{node['name']} takes {sorted(known)}, not {sorted(given)}.")
    missing = [n for n, o in known.items() if o.get("required") and n not in given]
    if missing and not focused:
        raise NotOffered(f"{node['name']} needs {missing}.")
    found = []
    for name, value in given.items():
        if not focused:
            check_option(known[name], value)
        plain = str(value.id) if isinstance(value, User | Channel | Role) else value
        found.append({"name": name, "type": known[name]["type"], "value": plain} | ({"focused": True} if name == focused else {}))
    return found


def resolved(values: Iterable[Any], channel: Channel, bot: User) -> Json:
    found: Json = {}
    for value in values:
        if isinstance(value, User):
            found.setdefault("users", {})[str(value.id)] = value.payload()
            if channel.guild and value in channel.guild.members:
                member = channel.guild.member(value, channel.permissions(value))
                found.setdefault("members", {})[str(value.id)] = member
        elif isinstance(value, Channel):
            found.setdefault("channels", {})[str(value.id)] = value.partial(bot)
        elif isinstance(value, Role):
            found.setdefault("roles", {})[str(value.id)] = value.payload()
    return found


def numbered(components: list[Json]) -> list[Json]:
    """As Discord gives them back: every component has an id."""
    copy: list[Json] = json.loads(json.dumps(components))
    for i, component in enumerate(walk(copy), 1):
        component.setdefault("id", i)
    return copy


def check_values(menu: Json, values: list[str]) -> None:
    """The app lets a person choose only what is offered, and so many."""
    offered = {o["value"] for o in menu.get("options") or []}
    if offered and set(values) - offered:
        raise NotOffered(f"{set(values) - offered} is not among {offered}.")
    low, high = menu.get("min_values"), menu.get("max_values") or 1
    if not (1 if low is None else low) <= len(values) <= high and (values or menu.get("required", True)):
        raise NotOffered(f"{menu['custom_id']!r} does not take {len(values)} values.")


def check_option(option: Json, value: Any) -> None:
    kinds: dict[int, tuple[type, ...]] = {3: (str,), 4: (int,), 5: (bool,), 6: (User,), 7: (Channel,), 8: (Role,), 9: (User, Role)}
    if not isinstance(value, kinds.get(option["type"], (int, float))):
        raise NotOffered(f"{option['name']} does not take {value!r}.")
    choices = [c["value"] for c in option.get("choices") or []]
    if choices and value not in choices:
        raise NotOffered(f"{option['name']} takes one of {choices}, not {value!r}.")
    if isinstance(value, str) and not (option.get("min_length") or 0) <= len(value) <= (option.get("max_length") or 6000):
        raise NotOffered(f"{option['name']} does not take a text of {len(value)}.")
    if isinstance(value, int | float) and option["type"] in (4, 10):
        low, high = option.get("min_value", value), option.get("max_value", value)
        if not low <= value <= high:
            raise NotOffered(f"{option['name']} does not take {value}.")
