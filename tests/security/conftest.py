"""The world of the access matrix: three incidents with everything in them, and a client for each person."""

from pathlib import Path
from typing import Any

import pytest
from django.core.cache import cache
from django.db import transaction

from compliance import clock
from tests.access_world import NOW, World, make_world


@pytest.fixture
def world(db: None, settings: Any, tmp_path: Path) -> World:
    cache.clear()
    return make_world(settings, tmp_path)


def send(world: World, who: str, path: str, body: Any = None, method: str = "post", **options: Any) -> Any:
    """The answer to one request, of which nothing is kept."""
    cache.clear()
    with transaction.atomic(), clock.simulated(NOW):
        if who in world.sessions:
            world.clients[who].cookies["sessionid"] = world.sessions[who]
        answer = getattr(world.clients[who], method)(path, body, **options)
        transaction.set_rollback(True)
    return answer
