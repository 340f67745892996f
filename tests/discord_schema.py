"""What Discord refuses: its own OpenAPI file as a judge, and the limits that the file leaves out."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator
from jsonschema.exceptions import ValidationError

Json = dict[str, Any]
COMPONENTS_V2 = 1 << 15
Bad = dict[str, tuple[str, str]]
REPOSITORY = Path(__file__).resolve().parent.parent


def reference() -> Path:
    """Where the file lies: it is not part of this repository."""
    folder = os.environ.get("YUI_REFERENCE") or REPOSITORY.parent / "shared" / "reference" / "openapi"
    return Path(folder) / "discord-openapi.json"


class DiscordSchema:
    """What the file says against a body. One that the file allows has no problems."""

    def __init__(self, document: Json) -> None:
        # The service takes integers for snowflakes as well, and discord.py sends both.
        document["components"]["schemas"]["SnowflakeType"] = {"type": ["string", "integer"], "pattern": "^(0|[1-9][0-9]*)$"}
        self._components = document["components"]
        self._routes: list[tuple[re.Pattern[str], Json]] = []
        for path, operations in sorted(document["paths"].items(), key=lambda i: i[0].count("{")):  # words before wildcards
            self._routes.append((re.compile(re.sub(r"\\{\w+\\}", "[^/]+", re.escape(path)) + "$"), operations))
        self._validators: dict[str, Draft202012Validator] = {}

    def request(self, method: str, path: str, body: Any) -> list[str]:
        """What is wrong with a request."""
        operations = next((o for p, o in self._routes if p.match(path) and method.lower() in o), None)
        if operations is None:
            return [f"{method} {path}: no such route"]
        content = operations[method.lower()].get("requestBody", {}).get("content", {})
        if body is None or "application/json" not in content:
            return []
        return [f"{method} {path}: {problem}" for problem in self._problems(content["application/json"]["schema"], body)]

    def component(self, name: str, value: Any) -> list[str]:
        """What is wrong with an object of a named kind."""
        return [f"{name}: {problem}" for problem in self._problems({"$ref": f"#/components/schemas/{name}"}, value)]

    def _problems(self, schema: Json, value: Any) -> list[str]:
        key = json.dumps(schema, sort_keys=True)
        if key not in self._validators:
            self._validators[key] = Draft202012Validator({**schema, "components": self._components})
        return [explain(error) for error in self._validators[key].iter_errors(value)]


def explain(error: ValidationError) -> str:
    """The deepest reason: in a union, that of the branch whose `type` was meant."""
    while error.context:
        branches: dict[Any, list[ValidationError]] = {}
        for inner in error.context:
            branches.setdefault(inner.schema_path[0], []).append(inner)
        meant = min(branches.values(), key=lambda es: any(e.path and e.path[-1] == "type" for e in es))
        error = max(meant, key=lambda e: len(e.path))
    return f"{error.json_path} {error.message[:200]}"


@cache
def discord_schema() -> DiscordSchema | None:
    """The file, read once; None where it is not at hand."""
    path = reference()
    return DiscordSchema(json.loads(path.read_text("utf-8"))) if path.is_file() else None


class ApiError(Exception):
    """A refusal, in the form Discord gives it."""

    def __init__(self, status: int, code: int, message: str, errors: Json | None = None) -> None:
        super().__init__(f"{status} {code} {message}")
        self.status = status
        self.body: Json = {"message": message, "code": code} | ({"errors": errors} if errors else {})


def walk(components: Iterable[Json]) -> Iterator[Json]:
    """Every component, those inside others too."""
    for found in components:
        yield found
        yield from walk(found.get("components") or [])
        inside = [found[k] for k in ("component", "accessory") if found.get(k)]
        yield from walk(inside)


def invalid(problems: Bad) -> ApiError:
    """50035 with its tree: each path is one branch, ending in `_errors`."""
    tree: Json = {}
    for path, (code, message) in problems.items():
        node = tree
        for part in path.split("."):
            node = node.setdefault(part, {})
        node.setdefault("_errors", []).append({"code": code, "message": message})
    return ApiError(400, 50035, "Invalid Form Body", tree)


def too_long(n: int) -> tuple[str, str]:
    return "BASE_TYPE_MAX_LENGTH", f"Must be {n} or fewer in length."


def check_message(body: Json, files: int = 0) -> None:
    """The limits of a message; raises what Discord answers."""
    bad: Bad = {}
    content, embeds, components = body.get("content") or "", body.get("embeds") or [], body.get("components") or []
    if len(content) > 2000:
        bad["content"] = too_long(2000)
    if len(embeds) > 10:
        bad["embeds"] = ("BASE_TYPE_BAD_LENGTH", "Must be between 0 and 10 in length.")
    total = 0
    for i, embed in enumerate(embeds):
        texts = [("title", embed.get("title"), 256), ("description", embed.get("description"), 4096)]
        texts += [("footer.text", (embed.get("footer") or {}).get("text"), 2048)]
        texts += [("author.name", (embed.get("author") or {}).get("name"), 256)]
        fields = embed.get("fields") or []
        if len(fields) > 25:
            bad[f"embeds.{i}.fields"] = ("BASE_TYPE_BAD_LENGTH", "Must be between 0 and 25 in length.")
        for j, one in enumerate(fields):
            for key, most in (("name", 256), ("value", 1024)):
                texts.append((f"fields.{j}.{key}", one.get(key), most))
                if not one.get(key):
                    bad[f"embeds.{i}.fields.{j}.{key}"] = ("BASE_TYPE_REQUIRED", "This field is required")
        for path, text, most in texts:
            total += len(text or "")
            if len(text or "") > most:
                bad[f"embeds.{i}.{path}"] = too_long(most)
        if not any(text for _, text, _ in texts) and not any(embed.get(k) for k in ("image", "thumbnail", "url")):
            bad[f"embeds.{i}"] = ("MISSING_REQUIRED_FIELD", "An embed needs something to show.")
    if total > 6000:
        bad["embeds"] = ("MAX_EMBED_SIZE_EXCEEDED", "Embed size exceeds maximum size of 6000")
    v2 = bool((body.get("flags") or 0) & COMPONENTS_V2)
    if v2 and (content or embeds or body.get("poll") or body.get("sticker_ids")):
        bad["content"] = ("MESSAGE_CANNOT_USE_LEGACY_FIELDS_WITH_COMPONENTS_V2", "Not with IS_COMPONENTS_V2")
    bad |= check_components(components, v2)
    allowed = body.get("allowed_mentions") or {}
    for kind in ("users", "roles"):
        if kind in (allowed.get("parse") or []) and allowed.get(kind):
            bad["allowed_mentions"] = ("MESSAGE_ALLOWED_MENTIONS_PARSE_EXCLUSIVE", f"parse:[{kind!r}] and {kind} are exclusive.")
    if len(str(body.get("nonce") or "")) > 25:
        bad["nonce"] = too_long(25)
    if files > 10:
        bad["attachments"] = ("BASE_TYPE_BAD_LENGTH", "Must be between 0 and 10 in length.")
    if bad:
        raise invalid(bad)
    if not (content.strip() or embeds or files or body.get("sticker_ids") or body.get("poll") or (components and v2)):
        raise ApiError(400, 50006, "Cannot send an empty message")


def check_components(components: list[Json], v2: bool) -> Bad:
    """Rows, buttons and menus."""
    bad: Bad = {}
    if not v2 and (len(components) > 5 or any(c.get("type") != 1 for c in components)):
        bad["components"] = ("BASE_TYPE_BAD_LENGTH", "Must be between 1 and 5 action rows.")
    if v2 and len(list(walk(components))) > 40:
        bad["components"] = ("COMPONENT_MAX_TOTAL_COMPONENTS_EXCEEDED", "The total number of components is over 40.")
    seen: set[str] = set()
    for i, row in enumerate(components):
        inside = row.get("components") or []
        menus = any(c.get("type", 0) in (3, 5, 6, 7, 8) for c in inside)
        if row.get("type") == 1 and not 1 <= len(inside) <= (1 if menus else 5):
            bad[f"components.{i}.components"] = ("COMPONENT_LAYOUT_WIDTH_EXCEEDED", "A row holds 1 to 5 buttons or one menu.")
        for j, one in enumerate(walk([row])):
            path = f"components.{i}.components.{j}"
            custom_id = one.get("custom_id")
            if one.get("type") == 2 and not one.get("url") and not one.get("sku_id") and not custom_id:
                bad[f"{path}.custom_id"] = ("BUTTON_COMPONENT_CUSTOM_ID_REQUIRED", "A custom id is required")
            if one.get("type") == 2 and not one.get("label") and not one.get("emoji"):
                bad[f"{path}.label"] = ("BUTTON_COMPONENT_INVALID_LABEL", "A label or emoji is required")
            if len(one.get("label") or "") > 80:
                bad[f"{path}.label"] = too_long(80)
            if custom_id is not None and not 1 <= len(custom_id) <= 100:
                bad[f"{path}.custom_id"] = ("BASE_TYPE_BAD_LENGTH", "Must be between 1 and 100 in length.")
            if custom_id in seen:
                bad[f"{path}.custom_id"] = ("COMPONENT_CUSTOM_ID_DUPLICATED", "Component custom id cannot be duplicated")
            if custom_id:
                seen.add(custom_id)
            bad |= check_options(one, path)
    return bad


def check_options(menu: Json, path: str) -> Bad:
    """The choices of a menu of texts."""
    bad: Bad = {}
    options = menu.get("options") or []
    if menu.get("type") == 3 and not 1 <= len(options) <= 25:
        bad[f"{path}.options"] = ("BASE_TYPE_BAD_LENGTH", "Must be between 1 and 25 in length.")
    if menu.get("type") in (3, 5, 6, 7, 8) and len(menu.get("placeholder") or "") > 150:
        bad[f"{path}.placeholder"] = too_long(150)
    for k, option in enumerate(options):
        for key in ("label", "value", "description"):
            if len(option.get(key) or "") > 100:
                bad[f"{path}.options.{k}.{key}"] = too_long(100)
    if len({o.get("value") for o in options}) < len(options):
        bad[f"{path}.options"] = ("SELECT_COMPONENT_OPTION_VALUE_DUPLICATED", "The specified option value is already used")
    return bad


def check_modal(modal: Json) -> None:
    """The limits of a modal; a menu must stand in a label."""
    bad: Bad = {}
    components = modal.get("components") or []
    if not 1 <= len(modal.get("title") or "") <= 45:
        bad["data.title"] = ("BASE_TYPE_BAD_LENGTH", "Must be between 1 and 45 in length.")
    if not 1 <= len(modal.get("custom_id") or "") <= 100:
        bad["data.custom_id"] = ("BASE_TYPE_BAD_LENGTH", "Must be between 1 and 100 in length.")
    if not 1 <= len(components) <= 5:
        bad["data.components"] = ("BASE_TYPE_BAD_LENGTH", "Must be between 1 and 5 in length.")
    seen: set[str] = set()
    for i, one in enumerate(components):
        path = f"data.components.{i}"
        if one.get("type") not in (1, 10, 18):
            bad[path] = ("UNION_TYPE_CHOICES", "Value of field 'type' must be one of (1, 10, 18).")
        if one.get("type") == 1 and any(c.get("type") != 4 for c in one.get("components") or []):
            bad[f"{path}.components"] = ("UNION_TYPE_CHOICES", "Only a text input may stand in a row of a modal.")
        if one.get("type") == 18 and not 1 <= len(one.get("label") or "") <= 45:
            bad[f"{path}.label"] = ("BASE_TYPE_BAD_LENGTH", "Must be between 1 and 45 in length.")
        if len(one.get("description") or "") > 100:
            bad[f"{path}.description"] = too_long(100)
        for inner in walk([one]):
            custom_id = inner.get("custom_id")
            if custom_id in seen:
                bad[f"{path}.custom_id"] = ("COMPONENT_CUSTOM_ID_DUPLICATED", "Component custom id cannot be duplicated")
            if custom_id:
                seen.add(custom_id)
            if custom_id is not None and not 1 <= len(custom_id) <= 100:
                bad[f"{path}.custom_id"] = ("BASE_TYPE_BAD_LENGTH", "Must be between 1 and 100 in length.")
            bad |= check_options(inner, path)
    if bad:
        raise invalid(bad)


COMMAND_NAME = re.compile(r"^[-_'\w\u30fb]{1,32}$")


def check_commands(commands: list[Json]) -> None:
    """The limits of a scope's commands."""
    bad: Bad = {}
    for kind, most in ((1, 100), (2, 15), (3, 15)):
        if sum(c.get("type", 1) == kind for c in commands) > most:
            raise ApiError(400, 30032, f"Maximum number of application commands reached ({most}).")
    seen: set[tuple[int, str]] = set()
    for i, command in enumerate(commands):
        kind, name = command.get("type", 1), command.get("name") or ""
        if not (COMMAND_NAME.match(name) and name == name.lower() if kind == 1 else 1 <= len(name) <= 32):
            bad[f"{i}.name"] = ("APPLICATION_COMMAND_INVALID_NAME", "Command name is invalid")
        if (kind, name) in seen:
            bad[f"{i}"] = ("APPLICATION_COMMANDS_DUPLICATE_NAME", "Application command names must be unique")
        seen.add((kind, name))
        if kind == 1 and not 1 <= len(command.get("description") or "") <= 100:
            bad[f"{i}.description"] = ("BASE_TYPE_BAD_LENGTH", "Must be between 1 and 100 in length.")
        if kind != 1 and command.get("description"):
            bad[f"{i}.description"] = ("APPLICATION_COMMAND_DESCRIPTION_NOT_ALLOWED", "Context menus have no description")
        if size(command) > 8000:
            bad[f"{i}"] = ("APPLICATION_COMMAND_TOO_LARGE", "Command exceeds maximum size (8000)")
        bad |= check_command_options(command.get("options") or [], f"{i}.options", 0)
    if bad:
        raise invalid(bad)


def check_command_options(options: list[Json], path: str, depth: int) -> Bad:
    bad: Bad = {}
    if len(options) > 25:
        bad[path] = ("BASE_TYPE_BAD_LENGTH", "Must be between 0 and 25 in length.")
    optional = False
    for i, one in enumerate(options):
        here = f"{path}.{i}"
        name = one.get("name") or ""
        if not COMMAND_NAME.match(name) or name != name.lower():
            bad[f"{here}.name"] = ("APPLICATION_COMMAND_INVALID_NAME", "Option name is invalid")
        if not 1 <= len(one.get("description") or "") <= 100:
            bad[f"{here}.description"] = ("BASE_TYPE_BAD_LENGTH", "Must be between 1 and 100 in length.")
        if one.get("type", 0) > 2 and one.get("required") and optional:
            bad[here] = ("APPLICATION_COMMAND_OPTIONS_REQUIRED_INVALID", "Required options must be placed before non-required ones")
        optional = optional or not one.get("required")
        choices = one.get("choices") or []
        if len(choices) > 25 or any(not 1 <= len(c["name"]) <= 100 or len(str(c["value"])) > 100 for c in choices):
            bad[f"{here}.choices"] = ("BASE_TYPE_BAD_LENGTH", "At most 25 choices of 100 characters.")
        if one.get("type") == 2 and depth > 0:
            bad[f"{here}.type"] = ("APPLICATION_COMMAND_OPTIONS_TYPE_INVALID", "Groups cannot be nested")
        bad |= check_command_options(one.get("options") or [], f"{here}.options", depth + 1)
    return bad


def size(command: Json) -> int:
    """What counts to the 8,000 characters: the longest of each text's languages, and the choices."""
    total = sum(len(str(c["name"])) + len(str(c["value"])) for c in command.get("choices") or [])
    for key in ("name", "description"):
        texts = [command.get(key) or "", *(command.get(f"{key}_localizations") or {}).values()]
        total += max(len(text) for text in texts)
    return total + sum(size(o) for o in command.get("options") or [])
