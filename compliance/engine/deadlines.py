"""When a clock ends: its number counted by its rule, its second limit, what is shown beside it."""

from dataclasses import dataclass
from datetime import datetime, time, timedelta

from compliance.engine.calendars import Calendar
from compliance.engine.counting import COUNTING, Counted
from compliance.engine.instants import zone_named
from compliance.engine.rules import Clock, Limit
from compliance.engine.starts import Begun, Starts
from compliance.engine.types import Deadline, Guidance, LaterReading, LocalText, TraceStep


@dataclass(frozen=True, slots=True)
class Counter:
    """Counts for one rule in one case: whose days, and where starts come from."""

    starts: Starts
    rule: str
    calendar: Calendar
    zone: str

    def deadline(self, clock: Clock, begun: Begun) -> Deadline:
        """When ``clock``, begun at ``begun``, ends. Without a number, or without a start, there is no moment."""
        if clock.set_by is not None:
            return self._set(clock, begun)
        if clock.counting is None or clock.n is None:
            return self._vague(clock, begun)
        first = self._counted(clock, begun)
        return first if clock.second is None else self._second(clock, clock.second, first, begun)

    def _counted(self, clock: Clock, begun: Begun) -> Deadline:
        if begun.at is None or clock.counting is None or clock.n is None:
            return Deadline(None, None, begun.notes or (_NOT_RECORDED,))
        counted = self._count(Limit(clock.start, clock.n, clock.counting), begun.at)
        trace = begun.notes + counted.trace
        if clock.ceiling_of is not None:
            trace += (_CEILING,)
        return Deadline(begun.at, counted.due_at, trace, counted.later)

    def _vague(self, clock: Clock, begun: Begun) -> Deadline:
        if begun.at is None:
            return Deadline(None, None, begun.notes or (_NOT_RECORDED,))
        words = clock.limit
        text = LocalText(ko=f"법에 정해진 시간이 없음({words.ko})", en=f"the law sets no number ({words.en})")
        trace = (*begun.notes, TraceStep(LocalText(ko="시작", en="starts"), begun.at), TraceStep(text))
        return Deadline(begun.at, None, trace)

    def _set(self, clock: Clock, begun: Begun) -> Deadline:
        """The day stands in an order or a request."""
        due = self.starts.resolve_fact(clock.set_by or "").at
        text = LocalText(ko="명령ㆍ요구에 정해진 기한", en="the moment set in the order or request")
        trace = (*begun.notes, TraceStep(text, due)) if due else (*begun.notes, _NOT_RECORDED)
        return Deadline(begun.at, due, trace)

    def _second(self, clock: Clock, limit: Limit, first: Deadline, own: Begun) -> Deadline:
        """The first limit and another: which of them binds."""
        begun = self._begun(limit, clock, own)
        other = self._end(limit, begun)
        if other is None:
            return first
        if clock.binding == "shown":
            later = LaterReading(LocalText(ko="더 긴 한도", en="the longer limit"), other)
            return _with(first, first.due_at, (), (*first.later, later))
        if first.due_at is None or first.starts_at is None:
            # The clock's own start is still to come: until then the other limit stands.
            return Deadline(begun.at, other, (*first.trace, _step(_OUTER, other)), first.later)
        if clock.binding == "earliest_unless_begun_after" and first.starts_at > other:
            return _with(first, first.due_at, (_step(_PASSED, other),), first.later)
        pick = max if clock.binding == "latest" else min
        due = pick(first.due_at, other)
        words = _LATER if clock.binding == "latest" else _EARLIER
        return _with(first, due, (_step(_OUTER, other), _step(words, due)), first.later)

    def beside(self, limit: Limit, clock: Clock, own: Begun) -> datetime | None:
        """When a limit beside ``clock`` ends; None while its start is not recorded. ``own``: the clock's own start."""
        return self._end(limit, self._begun(limit, clock, own))

    def _begun(self, limit: Limit, clock: Clock, own: Begun) -> Begun:
        """Where the limit starts: with this very occurrence if it starts where the clock does."""
        return own if limit.start == clock.start else self.starts.resolve(limit.start, self.rule)

    def _end(self, limit: Limit, begun: Begun) -> datetime | None:
        return self._count(limit, begun.at).due_at if begun.at is not None else None

    def _count(self, limit: Limit, at: datetime) -> Counted:
        """The limit counted from ``at``. A period that ended at 24:00 ended on the day before: days follow that one."""
        unit, count = COUNTING[limit.counting]
        if limit.start.kind == "due" and unit in _DAYS and at.astimezone(zone_named(self.zone)).time() == time(0):
            at -= timedelta(microseconds=1)
        return count(at, limit.n, self.calendar)

    def guidance(self, clock: Clock, own: Begun) -> Guidance | None:
        """The soft moment beside the law."""
        held = clock.guidance
        return Guidance(held.text, self.beside(held.limit, clock, own) if held.limit else None) if held else None


_DAYS = frozenset({"days", "business_days", "weeks", "months", "years"})


def _with(
    found: Deadline, due: datetime | None, steps: tuple[TraceStep, ...], later: tuple[LaterReading, ...]
) -> Deadline:
    return Deadline(found.starts_at, due, found.trace + steps, later)


def _step(text: LocalText, at: datetime) -> TraceStep:
    return TraceStep(text, at)


_NOT_RECORDED = TraceStep(
    LocalText(
        ko="시작 시점이 기록되지 않음: 기한을 셀 수 없음", en="the start is not recorded: no deadline can be counted"
    )
)
_CEILING = TraceStep(
    LocalText(
        ko="이 숫자는 한도입니다. 그 전이라도 지체하면 늦은 것입니다",
        en="the number is a ceiling: a delay before it can be late too",
    )
)
_OUTER = LocalText(ko="다른 한도의 끝", en="the other limit ends")
_EARLIER = LocalText(ko="둘 중 이른 것이 기한", en="the earlier of the two is the deadline")
_LATER = LocalText(ko="둘 중 늦은 것이 기한", en="the later of the two is the deadline")
_PASSED = LocalText(
    ko="이 한도가 지난 뒤에 시작되었으므로 자체 기한만 적용",
    en="begun after this limit had passed: its own period alone counts",
)
