"""Korean wall-clock times for tests, without Django."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

KST = ZoneInfo("Asia/Seoul")


def kst(text: str) -> datetime:
    """``"2025-09-15 14:00"`` in Seoul, as an aware UTC instant."""
    return datetime.fromisoformat(text).replace(tzinfo=KST).astimezone(UTC)
