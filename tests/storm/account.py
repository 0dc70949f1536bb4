"""The account at the end of a storm: what was expected, what happened, and every promise that was broken."""

import sys
from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import connection
from django.db.models import Count, Q, QuerySet

from compliance import clock
from incidents import anchors, channels, outbox, sweep, timers, verification
from incidents.channels import webhook
from incidents.channels.models import DeliveryAttempt
from incidents.models import Escalation, Evidence, Incident, JournalEntry, JournalHead, Obligation, OutboxMessage, Timer
from incidents.states import OPEN_OBLIGATION, EvidenceState
from reports import storage
from reports.models import Document
from tests.storm.machines import STEPPED, Storm
from tests.storm.options import SPEED, START

RUNGS = (timers.OBLIGATION_RUNG, timers.EVIDENCE_RUNG)
# What a process writes whose clock differs; so often that one of the times the database was there to keep the alarm.
SAID, OFTEN = "the clock of this process differs", 3
Expected = set[tuple[str, int, str]]


def expected_of(incidents: QuerySet[Incident], end: datetime) -> Expected:
    """The steps of ``incidents`` that must come by ``end``, by kind, subject and key. Taken before it begins."""
    rows = Timer.objects.filter(kind__in=RUNGS, incident__in=incidents, due_at__lte=end)
    return set(rows.values_list("kind", "subject_id", "key"))


class Account:
    """Lines of the table, and what is wrong."""

    def __init__(self) -> None:
        self.lines: list[tuple[str, object]] = []
        self.broken: list[str] = []

    def line(self, what: str, value: object) -> None:
        self.lines.append((what, value))

    def promise(self, what: str, wrong: Iterable[object]) -> None:
        """A number that has to be 0; the first of what is counted is named."""
        found = list(wrong)
        self.line(what, len(found))
        if found:
            self.broken.append(f"{what}: {len(found)}, for example {found[:3]}")


def print_account(storm: Storm, calm: Expected) -> int:
    """Print the table; 1 when a promise was broken."""
    account = Account()
    _disasters(account, storm)
    _timers(account, calm, storm.options.end)
    _lateness(account, storm)
    _clocks(account, storm)
    _messages(account, storm)
    _files(account, storm)
    _database(account, storm)
    for what, value in account.lines:
        sys.stdout.write(f"{what:62} {value}\n")
    for words in account.broken:
        sys.stdout.write(f"BROKEN {words}\n")
    sys.stdout.write(
        f"{'Some promises were broken' if account.broken else 'Every promise was kept'} (seed {storm.options.seed})\n"
    )
    sys.stdout.flush()
    return 1 if account.broken else 0


def _disasters(account: Account, storm: Storm) -> None:
    options = storm.options
    account.line("workers, beats", f"{options.workers}, {options.beats}")
    account.line("disasters", sum(storm.killed.values()))
    for name, count in sorted(storm.killed.items()):
        account.line(f"  {name}", count)
    account.line("things people did meanwhile", sum(storm.deeds.values()))
    for name, count in sorted(storm.deeds.items()):
        account.line(f"  {name}", count)
    account.promise("services that failed otherwise than refused or cut off", storm.broken)


def _timers(account: Account, calm: Expected, end: datetime) -> None:
    due = Timer.objects.filter(due_at__lte=end)
    rungs = due.filter(kind__in=RUNGS)
    states = Counter(rungs.values_list("state", flat=True))
    account.line("timers due within the hour (all kinds)", due.count())
    account.line("steps of ladders due within the hour", rungs.count())
    once = rungs.filter(state="fired", escalation__isnull=False).count()
    account.line("  fired once", once)
    account.line("  overtaken: settled or timed anew before they came", states["obsolete"])
    account.promise("  lost: still pending", due.filter(state="pending").values_list("kind", "subject_id", "key"))
    account.promise("  lost: called fired, but nothing happened", _names(rungs.filter(state="fired", escalation=None)))
    account.promise("  lost: given up without a reason", _unreasoned(rungs.filter(state="obsolete")))
    fired = Counter(Escalation.objects.values_list("timer__kind", "timer__subject_id", "rung"))
    account.line("steps of incidents that nobody touched", len(calm))
    account.promise("  lost", [item for item in calm if not fired[item]])
    account.promise("  doubled", [item for item in calm if fired[item] > 1])
    account.promise("doubled: one step of one generation twice", _twice())
    account.promise("overdue marks that are missing or wrong", _unmarked(end))
    account.promise("clocks whose timers differ from what the sweep derives", sweep.sweep(at=clock.now()))
    account.line("timers that failed and were put off", Timer.objects.exclude(last_error="").count())


def _names(rows: Any) -> list[tuple[Any, ...]]:
    return list(rows.values_list("pk", "kind", "subject_id", "key"))


def _unreasoned(rows: QuerySet[Timer]) -> Iterator[tuple[Any, ...]]:
    """Overtaken steps whose subject is neither settled nor of a later generation."""
    duties = dict(_standing(Obligation.objects.filter(state__in=OPEN_OBLIGATION)))
    items = dict(_standing(Evidence.objects.filter(state=EvidenceState.AT_RISK)))
    for row in rows:
        held = (duties if row.kind == timers.OBLIGATION_RUNG else items).get(row.subject_id)
        if held is not None and held <= row.generation:
            yield (row.pk, row.kind, row.subject_id, row.key)


def _standing(rows: Any) -> Any:
    return rows.values_list("pk", "generation")


def _twice() -> list[Any]:
    """By the rows, and by the journal, which was written in the same transaction."""
    rows = Counter(
        Escalation.objects.values_list("timer__kind", "timer__subject_id", "timer__generation", "rung").iterator()
    )
    told = Counter(
        (entry.chain, entry.subject, entry.detail["rung"], entry.detail["generation"])
        for entry in JournalEntry.objects.filter(action="escalation.reached").iterator()
    )
    twice: list[Any] = [key for counted in (rows, told) for key, count in counted.items() if count > 1]
    if sum(told.values()) != sum(rows.values()):
        twice.append(f"{sum(rows.values())} steps, but {sum(told.values())} journal entries")
    return twice


def _unmarked(end: datetime) -> list[Any]:
    """Open duties and evidence at risk whose moment passed within the hour, without the mark of exactly that moment."""
    duties = Obligation.objects.filter(state__in=OPEN_OBLIGATION, due_at__lte=end)
    items = Evidence.objects.filter(state=EvidenceState.AT_RISK, expires_at__lte=end)
    wrong = [(str(row), row.due_at, row.overdue_at) for row in duties if row.overdue_at != row.due_at]
    return wrong + [(str(row), row.expires_at, row.expired_at) for row in items if row.expired_at != row.expires_at]


def _lateness(account: Account, storm: Storm) -> None:
    rows = Escalation.objects.filter(at__lte=storm.options.end, fired_at__gt=storm.ready_at).values_list(
        "at", "fired_at", "timer__created_at"
    )
    late = sorted(_since_recovery(*row, storm.outages) / SPEED for row in rows)
    early = [row for row in rows if row[1] < row[0]]
    account.promise("steps that came before their moment", early)

    def at(part: float) -> str:
        return f"{late[min(len(late) - 1, int(part * len(late)))]:.2f} s" if late else "-"

    account.line("late, p50 / p99 / most, after the last disaster before it", f"{at(0.5)} / {at(0.99)} / {at(1)}")
    oldest = storm.oldest.total_seconds()
    account.line("oldest waiting timer ever seen", f"{oldest / SPEED:.1f} s ({oldest / 60:.1f} simulated minutes)")
    account.line("all due timers fired, after the storm was over", f"{storm.drained_in:.1f} s")


def _since_recovery(
    at: datetime, fired_at: datetime, planned_at: datetime, outages: list[tuple[datetime, datetime]]
) -> float:
    """Seconds from when it could come: its moment, its planning, or the end of the last disaster between that and it."""
    begun = max(at, planned_at)
    ends = [end for _begin, end in outages if begun <= end <= fired_at]
    return max(timedelta(0), fired_at - max([begun, *ends])).total_seconds()


def _clocks(account: Account, storm: Storm) -> None:
    """By the one honest witness: when the database itself committed the journal's entry of each step."""
    with connection.cursor() as cursor:
        cursor.execute(
            "select subject, detail->>'at', pg_xact_commit_timestamp(xmin) from incidents_journalentry"
            " where action = 'escalation.reached'"
        )
        rows = [(subject, datetime.fromisoformat(at), written) for subject, at, written in cursor.fetchall()]
    early = [row for row in rows if row[2] is not None and _simulated(row[2], storm) < row[1]]
    account.line("steps whose moment of writing the database knows", sum(row[2] is not None for row in rows))
    account.promise("  written before their moment, by the database's clock", early)
    said = (storm.folder / f"{STEPPED}.log").read_text(errors="replace").count(SAID)
    told = OutboxMessage.objects.filter(dedupe__startswith="alarm:clock:").count()
    account.line("times the process with a stepped clock said so, alarms of it", f"{said}, {told}")
    account.promise("  said so often and nobody was told", [said] if said >= OFTEN and not told else [])


def _simulated(at: datetime, storm: Storm) -> datetime:
    return START + timedelta(seconds=(at.timestamp() - storm.begins) * SPEED)


def _files(account: Account, storm: Storm) -> None:
    """Every document that a row names lies there whole; nothing lies under a name that is not its own."""
    documents = list(Document.objects.all())
    account.line("documents kept, anchors written", f"{len(documents)}, {len(list(anchors.read()))}")
    if storm.disk is None:
        account.line("  disk full: left out, the kernel gave no small disk", "-")
    account.promise("  documents missing or not whole", [row.sha256 for row in documents if not _whole(row)])
    files = [path for path in Path(settings.FILES_ROOT).rglob("*") if path.is_file()]
    account.promise("  files that are not what they are called", [path.name for path in files if not _readable(path)])
    account.promise("  faults in the anchors", list(anchors.check()))


def _whole(row: Document) -> bool:
    try:
        return len(storage.read(row)) == row.size
    except storage.MissingDocument:
        return False


def _readable(path: Path) -> bool:
    """Whether what lies there, decrypted, has the digest that it is called by."""
    try:
        storage.read_by(path.name)
    except storage.MissingDocument:
        return False
    return True


def _messages(account: Account, storm: Storm) -> None:
    mail, web = storm.mail.handler, storm.web
    rows = OutboxMessage.objects.annotate(
        open_tries=Count("tries", filter=Q(tries__outcome=DeliveryAttempt.Outcome.UNKNOWN))
    )
    # A mail by its Message-ID, a webhook by its webhook-id: both are the row's, and stay.
    held = {_identity(row): row for row in rows.defer("body", "html").iterator()}
    taken = mail.taken + web.taken
    ours = [row for row in held.values() if row.created_at <= storm.options.end]
    repeated = {identity: times for identity, times in taken.items() if times > 1}
    slow = {identity for identity in repeated if identity in held and _outlasted(held[identity])}
    named = {
        identity for identity, times in repeated.items() if identity in held and _explained(held[identity], times, mail)
    }
    account.line("messages written within the hour", len(ours))
    account.line(
        "  taken once by the mail server or the webhook's receiver", sum(taken[_identity(row)] == 1 for row in ours)
    )
    account.line("  repeated, same Message-ID: cut off between sending and recording", len(named))
    account.line("  repeated, same Message-ID: sending took longer than a claim lasts", len(slow - named))
    account.promise("  repeated for no such reason", set(repeated) - named - slow)
    account.promise("  lost: recorded as sent, never taken", [
        row.dedupe for identity, row in held.items() if row.state == "sent" and not taken[identity]
    ])  # fmt: skip
    account.promise(
        "  lost: not sent in the end",
        [(row.dedupe, row.state, row.attempts, row.last_error) for row in ours if row.state != "sent"],
    )
    account.promise("  taken, but of no change that was kept", set(taken) - set(held))
    tries = Counter(DeliveryAttempt.objects.values_list("outcome", flat=True))
    account.line(
        "  attempts accepted / failed / cut off",
        " / ".join(str(tries[name]) for name in ("accepted", "failed", "unknown")),
    )


def _identity(row: OutboxMessage) -> str:
    return webhook.webhook_id(row) if row.channel == channels.WEBHOOK else row.message_id


def _explained(row: Any, times: int, mail: Any) -> bool:
    """Each copy but one has an attempt that died before it was recorded, or an answer that nobody gave."""
    return bool(times - 1 <= row.open_tries + mail.unanswered[row.message_id])


def _outlasted(row: Any) -> bool:
    """Whether each attempt began only when the claim of the one before had run out, as after a crash."""
    begun = list(row.tries.order_by("number").values_list("at", flat=True))
    return all(later - earlier >= outbox.STALE_CLAIM for earlier, later in pairwise(begun))


def _database(account: Account, storm: Storm) -> None:
    faults = list(verification.verify())
    account.line("journal chains, entries", f"{JournalHead.objects.count()}, {JournalEntry.objects.count()}")
    account.promise("  faults in them", faults)
    with connection.cursor() as cursor:
        cursor.execute("select deadlocks from pg_stat_database where datname = current_database()")
        counted = int(cursor.fetchone()[0])
    # The counter starts anew after a crash; the log does not.
    logged = storm.postgres.log.read_text(errors="replace").count("deadlock detected")
    account.promise("deadlocks (counter of the database and its log)", range(max(counted, logged)))
