"""The law library and the house policies, read once per process."""

import os
from collections.abc import Mapping
from functools import cache
from pathlib import Path

from compliance.engine import Library, Policies, load_library, load_policies
from compliance.engine.scoring import Method, load_methods

HERE = Path(__file__).resolve().parent
# A house may keep its own copies, for example with ladders of its own.
LAW = Path(os.environ.get("BREACHCLOCK_LAW") or HERE / "law")
POLICIES = Path(os.environ.get("BREACHCLOCK_POLICIES") or HERE / "policies")
# What was parsed, so that a process starts quickly; files that changed always win.
CACHE = Path(os.environ.get("BREACHCLOCK_VAR") or HERE.parent / "var") / "cache" / "law.json"


@cache
def get_library() -> Library:
    """The validated law library.

    Raises:
        compliance.engine.LawError: a file is wrong; the process must not start.
    """
    return load_library(LAW, cache=CACHE)


@cache
def get_methods() -> Mapping[str, Method]:
    """The validated methods of severity and classification, by key.

    Raises:
        compliance.engine.LawError: a file is wrong; the process must not start.
    """
    return load_methods(LAW, get_library().facts)


@cache
def get_policies() -> Policies:
    """The validated house policies (escalation ladders, house targets).

    Raises:
        compliance.engine.LawError: a file is wrong; the process must not start.
    """
    policies = load_policies(POLICIES)
    levels = {key: [level.key for level in method.levels] for key, method in get_methods().items()}
    policies.check_signs(levels, get_library().facts)
    return policies
