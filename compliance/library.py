"""The law library and the house policies, read once per process."""

from functools import cache
from pathlib import Path

from compliance.engine import Library, Policies, load_library, load_policies

LAW = Path(__file__).resolve().parent / "law"
POLICIES = Path(__file__).resolve().parent / "policies"


@cache
def get_library() -> Library:
    """The validated law library.

    Raises:
        compliance.engine.LawError: a file is wrong; the process must not start.
    """
    return load_library(LAW)


@cache
def get_policies() -> Policies:
    """The validated house policies (escalation ladders, house targets).

    Raises:
        compliance.engine.LawError: a file is wrong; the process must not start.
    """
    return load_policies(POLICIES)
