"""A company with its people, and incidents in it, made through the real services."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from typing import Any

from django.contrib.auth.hashers import make_password
from django.contrib.auth.models import User

from compliance.models import Entity, Membership, Role
from incidents import services
from incidents.models import Incident
from tests.times import KST as KST
from tests.times import kst as kst

PASSWORD = "correct horse battery staple"


@dataclass(frozen=True, slots=True)
class Company:
    """An entity and one person per role; ``stranger`` belongs to another company."""

    entity: Entity
    owner: User
    counsel: User
    approver: User
    manager: User
    ciso: User
    cpo: User
    executive: User
    auditor: User
    reporter: User
    administrator: User
    stranger: User


def make_entity(key: str = "hanbit", *, at: datetime | None = None, **given: Any) -> Entity:
    """A Korean telecom company: service provider and controller."""
    fields = {
        "name": "한빛통신 주식회사",
        "name_en": "Hanbit Telecom",
        "zone": "Asia/Seoul",
        "establishments": ["KR"],
        "markets": ["KR"],
        "roles": ["ict_service_provider", "controller"],
        "sectors": ["telecom"],
        "particulars": {
            "business_number": "000-00-00000",
            "representative": "대표이사",
            "address": "서울특별시",
            "sector": "기간통신",
        },
        "created_at": at or kst("2024-01-01 00:00"),
    }
    return Entity.objects.create(key=key, **{**fields, **given})


@cache
def _hashed() -> str:
    """Argon2 is slow on purpose; once is enough for the tests."""
    return make_password(PASSWORD)


def make_user(name: str, entity: Entity | None = None, *roles: str, language: str = "ko") -> User:
    """A person with ``roles`` in ``entity``."""
    user = User.objects.create(username=name, email=f"{name}@example.test", password=_hashed())
    for role in roles:
        Membership.objects.create(user=user, entity=entity, role=role, language=language)
    return user


def make_company(key: str = "hanbit", prefix: str = "") -> Company:
    """An entity with one person per role, and a stranger from elsewhere."""
    entity = make_entity(key)
    people = {role.value: make_user(prefix + role.value, entity, role) for role in Role}
    elsewhere = make_entity(f"{key}-other", name="다른회사")
    return Company(entity=entity, stranger=make_user(prefix + "stranger", elsewhere, Role.OWNER), **people)


def make_incident(company: Company, *, at: datetime, **given: Any) -> Incident:
    """An incident reported by the company's handler at ``at``."""
    fields: dict[str, Any] = {
        "title": "서버 이상 징후",
        "summary": "점검 중 이상 징후를 발견함",
        "entities": [company.entity],
        "by": company.owner,
        "is_cyber": True,
    }
    return services.incident_report(at=at, **{**fields, **given})


def later(at: datetime, **delta: float) -> datetime:
    """``at`` plus elapsed time."""
    return at + timedelta(**delta)
