from __future__ import annotations

import pytest

from knowledge import Database
from tests.bot.announcing.world import World


@pytest.fixture
def world(database: Database) -> World:
    return World(database)
