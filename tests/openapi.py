"""Checks a body against a provider's own API description.

LINE writes its unions as a `discriminator` on a base schema and nothing else, so an ordinary validator looks no further than
`type`. Here the union is resolved: `type` names the schema, an unknown `type` is an error, and so is a property no schema lists.
"""

from __future__ import annotations

import functools
import json
import os
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import yaml
from jsonschema import Draft202012Validator, FormatChecker
from jsonschema.exceptions import ValidationError

Json = dict[str, Any]
BESIDE = Path(__file__).parents[2] / "shared" / "reference" / "openapi"
REF = "#/components/schemas/"
METHODS = ("get", "put", "post", "delete", "patch")

FORMATS = FormatChecker(formats=())  # the shipped checks vary with what else is installed
for _name, _pattern in {
    "uuid": r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}",
    "uri": r"[A-Za-z][A-Za-z0-9+.-]*:[^\s\"<>\\^`{|}]+",
    "date-time": r"\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(\.\d+)?([Zz]|[+-]\d\d:\d\d)",
}.items():
    FORMATS.checks(_name)(lambda value, whole=re.compile(_pattern): not isinstance(value, str) or bool(whole.fullmatch(value)))
for _name, _bits in {"int32": 31, "int64": 63}.items():
    FORMATS.checks(_name)(lambda value, size=2**_bits: not isinstance(value, int) or -size <= value < size)


class Violation(NamedTuple):
    where: str  # as LINE writes it: messages[0].text
    what: str

    def __str__(self) -> str:
        return f"{self.where or 'body'}: {self.what}"


def find(name: str) -> Path | None:
    """A description in the folder `YUI_REFERENCE`, else in the one beside the repository; it is not part of the repository."""
    folder = Path(os.environ["YUI_REFERENCE"]) if os.environ.get("YUI_REFERENCE") else BESIDE
    return next((p for p in (folder / name, folder / "openapi" / name) if p.is_file()), None)


@functools.cache
def read(path: Path) -> Json:
    text = path.read_text("utf-8")
    found: Json = json.loads(text) if path.suffix == ".json" else yaml.load(text, Loader=yaml.CSafeLoader)
    return found


def load(name: str, *, closed: bool = True) -> OpenApi | None:
    """A description ready for use, read and converted once per process; None where the file is not at hand."""
    path = find(name)
    return _ready(path, closed) if path else None


@functools.cache
def _ready(path: Path, closed: bool) -> OpenApi:
    return OpenApi(read(path), closed=closed)


class OpenApi:
    """An OpenAPI 3.0 or 3.1 document as JSON Schema 2020-12.

    `closed` refuses properties the document does not list. `replaced` puts other schemas in the place of components, for what is
    known to be wrong in a document (Discord's ids, for one, may be numbers too).
    """

    def __init__(self, document: Json, *, closed: bool = True, replaced: Mapping[str, Json] | None = None) -> None:
        self._raw: Json = {**document["components"]["schemas"], **(replaced or {})}
        self._closed = closed
        self._old = str(document["openapi"]).startswith("3.0")
        self._kinds: dict[str, list[str]] = {}  # subtype -> the values of `type` that lead to it
        for schema in self._raw.values():
            for kind, ref in schema.get("discriminator", {}).get("mapping", {}).items():
                self._kinds.setdefault(ref.removeprefix(REF), []).append(kind)
        self._schemas = {name: self._component(name, schema) for name, schema in self._raw.items()}
        self._paths: Json = document.get("paths", {})
        self._operations: dict[str, Json] = {
            operation["operationId"]: operation
            for path in self._paths.values()
            for method, operation in path.items()
            if method in METHODS and "operationId" in operation
        }

    # What a test asks

    def operation_id(self, method: str, path: str) -> str | None:
        """The operation a request belongs to: a path written out comes before one with parameters."""
        for template in sorted(self._paths, key=lambda t: t.count("{")):
            pattern = "".join("[^/]+" if part.startswith("{") else re.escape(part) for part in re.split(r"(\{[^}]+\})", template))
            operation = self._paths[template].get(method.lower())
            if operation and re.fullmatch(pattern, path):
                return str(operation["operationId"])
        return None

    def request_violations(self, operation_id: str, body: object) -> list[Violation]:
        content = self._operations[operation_id].get("requestBody", {}).get("content", {})
        return self._content(operation_id + " request", content, body)

    def response_violations(self, operation_id: str, status: int, body: object) -> list[Violation]:
        responses = self._operations[operation_id]["responses"]
        if str(status) not in responses:
            return [Violation("status", f"{status} is not among {', '.join(responses)}")]
        return self._content(f"{operation_id} {status}", responses[str(status)].get("content", {}), body)

    def violations(self, schema: str, value: object) -> list[Violation]:
        """What in `value` disagrees with the component `schema`."""
        if schema not in self._schemas:
            raise KeyError(schema)
        return self._errors(schema, {"$ref": REF + schema}, value)

    def _content(self, key: str, content: Json, body: object) -> list[Violation]:
        media = content.get("application/json")
        return self._errors(key, self._convert(media["schema"]), body) if media and "schema" in media else []

    def _errors(self, key: str, schema: Json, value: object) -> list[Violation]:
        validator = self._validators.get(key)
        if validator is None:
            root = {**schema, "components": {"schemas": self._schemas}}
            validator = self._validators[key] = Draft202012Validator(root, format_checker=FORMATS)
        found = [v for error in validator.iter_errors(value) for v in _told(error)]
        return list(dict.fromkeys(found))

    @functools.cached_property
    def _validators(self) -> dict[str, Draft202012Validator]:
        return {}

    # From OpenAPI to JSON Schema

    def _component(self, name: str, schema: Json) -> Json:
        mapping = schema.get("discriminator", {}).get("mapping")
        if mapping:
            choice = [{"if": {"properties": {"type": {"const": k}}}, "then": {"$ref": ref}} for k, ref in mapping.items()]
            return {"type": "object", "required": ["type"], "properties": {"type": {"enum": list(mapping)}}, "allOf": choice}
        converted: Json = self._convert(schema)
        if name in self._kinds and "properties" in converted:  # a subtype may be referred to without its base, as FlexBox is
            converted["properties"] = {**converted["properties"], "type": {"enum": self._kinds[name]}}
        return converted

    def _convert(self, schema: Any, *, inside: bool = False) -> Any:
        """`inside`: a part of an `allOf`, which cannot know the properties of the other parts."""
        if not isinstance(schema, dict):
            return schema
        if "$ref" in schema and self._old:
            return {"$ref": schema["$ref"]}
        if "allOf" in schema:
            schema = self._merged(schema) or schema
        new: Json = {}
        for key, value in schema.items():
            match key:
                case "properties" | "patternProperties" | "$defs":
                    new[key] = {name: self._convert(part) for name, part in value.items()}
                case "items" | "additionalProperties" | "not" | "contains" | "propertyNames":
                    new[key] = self._convert(value)
                case "allOf" | "anyOf" | "oneOf" | "prefixItems":
                    new[key] = [self._convert(part, inside=key == "allOf") for part in value]
                case "nullable" | "discriminator" | "xml" | "externalDocs" | "example":
                    pass
                case _:
                    new[key] = value
        if schema.get("nullable") and "type" in new:
            new["type"] = [new["type"], "null"]
            if "enum" in new:
                new["enum"] = [*new["enum"], None]
        if self._closed and not inside and "properties" in new and "allOf" not in new:
            new.setdefault("additionalProperties", False)
        return new

    def _merged(self, schema: Json) -> Json | None:
        """An `allOf` of plain objects as one object; None where it is something else."""
        rest = {k: v for k, v in schema.items() if k != "allOf"}
        whole: Json = {"type": "object", "properties": {}, "required": []}
        for part in [rest, *schema["allOf"]]:
            if "$ref" in part:
                part = self._raw[part["$ref"].removeprefix(REF)]
            if "allOf" in part:
                part = self._merged(part) or part
            if part.get("type", "object") != "object" or {"allOf", "anyOf", "oneOf", "enum"} & set(part):
                return None
            whole["properties"] = {**whole["properties"], **part.get("properties", {})}
            whole["required"] = [*whole["required"], *part.get("required", [])]
            if "additionalProperties" in part:
                whole["additionalProperties"] = part["additionalProperties"]
        return whole


def _told(error: ValidationError) -> Sequence[Violation]:
    """An error in words. Of a union, that of the branch the value's own `type` chooses, or else of the nearest."""
    if error.validator not in ("anyOf", "oneOf") or not error.context:
        what = error.message if len(error.message) < 300 else f"{error.message[:80]} … {error.message[-80:]}"
        return [Violation(_where(error.absolute_path), what)]
    branches: dict[Any, list[ValidationError]] = {}
    for inner in error.context:
        branches.setdefault(inner.relative_schema_path[0], []).append(inner)
    chosen = [errors for errors in branches.values() if not any(_turns_away(e) for e in errors)]
    nearest = min(chosen or branches.values(), key=len)
    return [v for inner in nearest for v in _told(inner)]


def _turns_away(error: ValidationError) -> bool:
    """The branch is for another `type`, or for another kind of value altogether."""
    at = list(error.relative_path)
    return error.validator in ("const", "enum") if at == ["type"] else not at and error.validator == "type"


def _where(path: Sequence[str | int]) -> str:
    return "".join(f"[{p}]" if isinstance(p, int) else f".{p}" for p in path).removeprefix(".")
