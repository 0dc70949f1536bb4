"""People as fixtures: who may, who may not, and a stranger who must see nothing."""

import pytest

from tests.factories import Company, make_company


@pytest.fixture
def company(db: None) -> Company:
    """A company with one person per role."""
    return make_company()
