"""How long the contact data of an authority is trusted: house policy as data (``policies/contacts.yaml``)."""

from datetime import timedelta
from functools import cache

from compliance import library
from compliance.engine.strict import read_file

FILE = "contacts.yaml"


@cache
def check_again_after() -> timedelta:
    """After so long a person looks again whether it still holds.

    Raises:
        compliance.engine.LawError: the file is wrong.
    """
    # A house with ladders of its own need not have a term of its own.
    folder = library.POLICIES if (library.POLICIES / FILE).exists() else library.HERE / "policies"
    node = read_file(folder / FILE, root=folder).mapping(required={"check_again_after_days"})
    return timedelta(days=node.at("check_again_after_days").integer(least=1))
