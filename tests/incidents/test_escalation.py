"""Who is told, when, and what happens when nobody answers: acknowledgement, quiet hours, absence, severity."""

from datetime import datetime, time
from itertools import pairwise

import pytest
from django.test import Client
from django.urls import reverse

from compliance.clock import simulated
from compliance.errors import BadInput, NotPermitted, Refused
from compliance.models import Membership
from incidents import ack, services, timers
from incidents.channels.models import Reader
from incidents.models import Escalation, Incident, JournalEntry, Obligation, OutboxMessage, Timer
from incidents.services import absence
from tests.factories import Company, kst, later, make_incident, make_user

AT = kst("2026-11-02 09:00")
DUE = later(AT, hours=24)
DUTY = {"rule": "kr.network-act.incident-report", "stage": "initial"}


@pytest.fixture
def incident(company: Company) -> Incident:
    return make_incident(company, at=AT, personal_data=False)


def duty(incident: Incident) -> Obligation:
    return incident.obligations.get(**DUTY)


def step(incident: Incident, rung: str) -> Escalation:
    return duty(incident).escalations.get(rung=rung)


def run_until(now: datetime) -> None:
    while (moment := timers.next_due()) is not None and moment <= now:
        timers.fire_due(now=moment)


def told(incident: Incident, rung: str) -> dict[str, str]:
    rows = step(incident, rung).messages.filter(channel="email").select_related("recipient")
    return {row.recipient.username: row.body for row in rows}


def reached(incident: Incident) -> dict[str, float]:
    """Hours after the opening at which each step came."""
    return {row.rung: (row.at - AT).total_seconds() / 3600 for row in duty(incident).escalations.all()}


class TestAcknowledgement:
    def test_with_nobody_answering_each_step_comes_in_half_the_time(self, incident: Incident) -> None:
        run_until(later(DUE, hours=12))
        assert reached(incident) == {
            "opened": 0,
            "half": 6,
            "quarter": 12,
            "tenth": 16.8,
            "unanswered-tenth": 20.4,
            "due": 24,
            "plus-1h": 25,
            "plus-4h": 26.5,
            "plus-12h": 31.25,
        }

    def test_after_an_answer_the_next_step_comes_at_its_planned_time(
        self, incident: Incident, company: Company
    ) -> None:
        timers.fire_due(now=AT)
        services.escalation_acknowledge(escalation=step(incident, "opened"), at=later(AT, minutes=30), by=company.owner)
        run_until(later(AT, hours=13))
        assert reached(incident) == {"opened": 0, "half": 12}

    def test_the_answer_to_one_step_is_none_to_the_next(self, incident: Incident, company: Company) -> None:
        timers.fire_due(now=AT)
        services.escalation_acknowledge(escalation=step(incident, "opened"), at=later(AT, minutes=30), by=company.owner)
        run_until(later(AT, hours=16))
        assert reached(incident)["quarter"] == 15

    def test_the_due_step_never_comes_before_its_moment(self, incident: Incident) -> None:
        run_until(later(AT, hours=23))
        assert "due" not in reached(incident)
        assert duty(incident).state == "running"
        assert set(told(incident, "unanswered-tenth")) == {"owner", "counsel", "manager"}

    def test_a_step_brought_forward_says_why_and_is_not_late(self, incident: Incident) -> None:
        run_until(later(AT, hours=6))
        half = step(incident, "half")
        assert (half.late_seconds, half.timer.due_at) == (0, later(AT, hours=12))
        assert "이전 알림을 아무도 확인하지 않아" in told(incident, "half")["owner"]
        assert JournalEntry.objects.filter(action="escalation.unanswered", detail__next="half").exists()

    def test_a_settled_or_retimed_duty_brings_nothing_forward(self, incident: Incident, company: Company) -> None:
        timers.fire_due(now=AT)
        now = later(AT, hours=1)
        services.obligation_meet(obligation=duty(incident), done_at=now, at=now, by=company.owner, reference="F1")
        run_until(later(AT, hours=23))
        assert set(reached(incident)) == {"opened"}

    def test_a_step_told_late_waits_from_when_it_was_told(self, incident: Incident) -> None:
        timers.fire_due(now=later(AT, hours=5))
        run_until(later(AT, hours=11))
        assert reached(incident)["half"] == 5 + 3.5

    def test_it_happens_once_whoever_runs_and_how_often(self, incident: Incident) -> None:
        for _ in range(3):
            timers.fire_due(now=later(AT, hours=6))
            timers.fire_due(now=later(AT, hours=6))
        assert duty(incident).escalations.filter(rung="half").count() <= 1
        run_until(DUE)
        rungs = list(duty(incident).escalations.values_list("rung", flat=True))
        assert len(rungs) == len(set(rungs))


class TestLink:
    @pytest.fixture
    def opened(self, incident: Incident) -> Escalation:
        timers.fire_due(now=AT)
        return step(incident, "opened")

    def path_in(self, body: str) -> str:
        line = next(line for line in body.splitlines() if "/acknowledge/" in line)
        return "/acknowledge/" + line.split("/acknowledge/")[1].strip()

    def test_the_link_in_the_message_asks_first_and_acknowledges_then(
        self, opened: Escalation, incident: Incident, company: Company
    ) -> None:
        path = self.path_in(told(incident, "opened")["owner"])
        client = Client()
        with simulated(later(AT, minutes=5)):
            assert client.get(path).status_code == 200
            opened.refresh_from_db()
            assert opened.acknowledged_at is None
            said = client.post(path).content.decode()
        opened.refresh_from_db()
        assert (opened.acknowledged_by, opened.acknowledged_at) == (company.owner, later(AT, minutes=5))
        assert "Acknowledged by this link" in said
        entry = JournalEntry.objects.get(action="escalation.acknowledged")
        assert (entry.actor, entry.detail) == (f"user:{company.owner.pk}", {"by_link": opened.acknowledged_link})
        run_until(later(AT, hours=13))
        assert reached(incident) == {"opened": 0, "half": 12}

    def test_it_opens_nothing_else(self, opened: Escalation, incident: Incident, company: Company) -> None:
        client = Client()
        with simulated(AT):
            client.post(self.path_in(told(incident, "opened")["owner"]))
            page = client.get(reverse("incidents:incident", args=[incident.code]))
        assert page.status_code == 302
        assert reverse("login") in page["Location"]

    def test_it_is_of_use_once(self, opened: Escalation, company: Company) -> None:
        mine, other = (
            ack.link_for(opened, person, at=AT).partition("/acknowledge/")[2]
            for person in (company.owner, company.ciso)
        )
        client = Client()
        with simulated(AT):
            client.post(f"/acknowledge/{mine}")
        with simulated(later(AT, hours=1)):
            said = client.post(f"/acknowledge/{other}").content.decode()
        opened.refresh_from_db()
        assert (opened.acknowledged_by, opened.acknowledged_at) == (company.owner, AT)
        assert "Acknowledged already" in said

    def test_it_expires(self, opened: Escalation, company: Company) -> None:
        path = "/acknowledge/" + ack.link_for(opened, company.owner, at=AT).partition("/acknowledge/")[2]
        with simulated(later(AT, hours=168)):
            answer = Client().post(path)
        opened.refresh_from_db()
        assert (answer.status_code, opened.acknowledged_at) == (410, None)
        assert "expired" in answer.content.decode()

    @pytest.mark.parametrize(
        "change",
        [
            lambda token: token[:-1] + ("A" if token[-1] != "A" else "B"),
            lambda token: "x" + token[1:],
            lambda token: "nonsense",
        ],
    )
    def test_a_changed_link_does_nothing(self, opened: Escalation, company: Company, change) -> None:
        token = ack.link_for(opened, company.owner, at=AT).partition("/acknowledge/")[2].strip("/")
        with simulated(AT):
            answer = Client().post(f"/acknowledge/{change(token)}/")
        opened.refresh_from_db()
        assert (answer.status_code, opened.acknowledged_at) == (410, None)

    def test_of_a_person_who_left_it_does_nothing(self, opened: Escalation, company: Company) -> None:
        path = "/acknowledge/" + ack.link_for(opened, company.owner, at=AT).partition("/acknowledge/")[2]
        Membership.objects.filter(user=company.owner).delete()
        with simulated(AT):
            answer = Client().post(path)
        assert answer.status_code == 410
        company.owner.is_active = False
        company.owner.save()
        with simulated(AT):
            assert Client().get(path).status_code == 410
        opened.refresh_from_db()
        assert opened.acknowledged_at is None

    def test_who_may_only_read_gets_no_link(self, company: Company) -> None:
        company.entity.memberships.exclude(role="auditor").delete()
        incident = make_incident(company, at=AT, personal_data=False, by=None)
        timers.fire_due(now=AT)
        body = told(incident, "opened")["auditor"]
        assert "/acknowledge/" not in body


class TestQuietHours:
    @pytest.fixture
    def quiet(self, company: Company) -> None:
        # 21:00 to 07:00 in Seoul; the steps come at 09:00, 15:00 (half), 21:00 (quarter), 01:48 and 05:24.
        absence.preference_set(
            entity=company.entity,
            person=None,
            quiet_from=time(20),
            quiet_until=time(7),
            deputy=None,
            at=AT,
            by=company.manager,
        )

    def test_a_reminder_waits_for_the_morning(self, quiet: None, incident: Incident) -> None:
        run_until(kst("2026-11-02 23:59"))
        assert step(incident, "quarter").at == kst("2026-11-02 21:00")
        assert told(incident, "quarter") == {}
        run_until(kst("2026-11-03 07:00"))
        assert set(told(incident, "quarter")) == {"owner", "counsel"}
        assert step(incident, "quarter").messages.first().created_at == kst("2026-11-03 07:00")

    def test_what_was_settled_in_the_night_is_not_told_in_the_morning(
        self, quiet: None, incident: Incident, company: Company
    ) -> None:
        run_until(kst("2026-11-02 23:00"))
        now = kst("2026-11-03 02:00")
        services.obligation_meet(obligation=duty(incident), done_at=now, at=now, by=company.owner, reference="F1")
        run_until(kst("2026-11-03 12:00"))
        assert told(incident, "quarter") == {}

    def test_nobody_is_expected_to_answer_while_asleep(self, quiet: None, incident: Incident) -> None:
        run_until(kst("2026-11-03 06:59"))
        assert "tenth" in reached(incident)
        assert step(incident, "tenth").at == kst("2026-11-03 06:36")

    @pytest.mark.parametrize("hours", [14, 15, 38])
    def test_opening_due_and_overdue_are_told_at_any_hour(self, quiet: None, company: Company, hours: int) -> None:
        at = later(AT, hours=hours)
        incident = make_incident(
            company, at=at, known_at=later(at, hours=-24 if hours == 38 else 0), personal_data=False
        )
        timers.fire_due(now=at)
        assert "owner" in told(incident, "due" if hours == 38 else "opened")
        run_until(later(at, hours=25))
        assert "ciso" in told(incident, "plus-1h")

    def test_a_reminder_that_would_come_after_the_deadline_does_not_wait(self, quiet: None, company: Company) -> None:
        known = kst("2026-11-02 06:30")  # due at 06:30, before anybody wakes
        incident = make_incident(company, at=known, personal_data=False)
        run_until(kst("2026-11-03 06:00"))
        assert "manager" in told(incident, "tenth")

    def test_ones_own_hours_count_before_the_companys_and_in_ones_own_zone(
        self, quiet: None, incident: Incident, company: Company
    ) -> None:
        Reader.objects.create(user=company.counsel, zone="Europe/Berlin")
        for person, begins, ends in ((company.owner, time(0), time(0)), (company.counsel, time(11), time(14))):
            absence.preference_set(
                entity=company.entity,
                person=person,
                quiet_from=begins,
                quiet_until=ends,
                deputy=None,
                at=AT,
                by=person,
            )
        run_until(kst("2026-11-02 21:00"))
        assert set(told(incident, "quarter")) == {"owner"}
        run_until(kst("2026-11-02 22:00"))  # 14:00 in Berlin
        assert set(told(incident, "quarter")) == {"owner", "counsel"}


class TestAbsence:
    def away(self, company: Company, person, deputy, *, days: float = 3, at: datetime = AT):
        return absence.absence_record(
            entity=company.entity,
            person=person,
            begins_at=at,
            ends_at=later(at, days=days),
            deputy=deputy,
            at=at,
            by=company.manager,
        )

    def test_who_stands_in_is_told_too_and_for_whom(self, incident: Incident, company: Company) -> None:
        self.away(company, company.owner, company.ciso)
        timers.fire_due(now=AT)
        bodies = told(incident, "opened")
        assert set(bodies) == {"owner", "ciso"}
        assert "2026-11-05 (목) 09:00 KST까지 부재 중인 owner을(를) 대신합니다." in bodies["ciso"]
        assert "대신합니다" not in bodies["owner"]

    def test_a_deputy_who_is_away_has_a_deputy(self, incident: Incident, company: Company) -> None:
        self.away(company, company.owner, company.ciso)
        self.away(company, company.ciso, company.cpo)
        timers.fire_due(now=AT)
        assert set(told(incident, "opened")) == {"owner", "cpo"}

    def test_deputies_of_each_other_who_are_both_away_leave_it_to_the_next_rank(
        self, incident: Incident, company: Company
    ) -> None:
        self.away(company, company.owner, company.ciso)
        self.away(company, company.ciso, company.owner)
        timers.fire_due(now=AT)
        assert set(told(incident, "opened")) == {"owner", "counsel", "approver"}

    def test_with_nobody_to_stand_in_the_next_rank_is_told_and_why(self, incident: Incident, company: Company) -> None:
        self.away(company, company.owner, None)
        timers.fire_due(now=AT)
        bodies = told(incident, "opened")
        assert set(bodies) == {"owner", "counsel", "approver"}
        assert "연락할 수 없어(사고 처리 담당)" in bodies["counsel"]

    def test_with_everybody_away_everybody_is_told(self, incident: Incident, company: Company) -> None:
        for member in company.entity.memberships.select_related("user"):
            self.away(company, member.user, None)
        timers.fire_due(now=AT)
        assert {"owner", "manager", "executive", "auditor", "reporter"} <= set(told(incident, "opened"))

    def test_it_begins_and_ends_by_the_minute(self, incident: Incident, company: Company) -> None:
        self.away(company, company.owner, company.ciso, at=later(AT, seconds=1), days=0.25)
        timers.fire_due(now=AT)
        run_until(later(AT, hours=6))
        assert set(told(incident, "opened")) == {"owner"}
        assert set(told(incident, "half")) == {"owner", "ciso"}
        run_until(later(AT, hours=12))
        assert "ciso" not in told(incident, "quarter")

    def test_who_comes_back_early_is_not_stood_in_for(self, incident: Incident, company: Company) -> None:
        row = self.away(company, company.owner, company.ciso)
        absence.absence_end(absence=row, at=AT, by=company.owner)
        timers.fire_due(now=AT)
        assert set(told(incident, "opened")) == {"owner"}
        with pytest.raises(Refused):
            absence.absence_end(absence=row, at=AT, by=company.owner)

    def test_where_the_ladder_names_deputies_the_standing_ones_are_told(
        self, incident: Incident, company: Company
    ) -> None:
        absence.preference_set(
            entity=company.entity,
            person=company.owner,
            quiet_from=None,
            quiet_until=None,
            deputy=company.ciso,
            at=AT,
            by=company.owner,
        )
        services.fact_record(incident=incident, name="risk.level", value="high", at=AT, by=company.owner)
        timers.fire_due(now=AT)
        body = told(incident, "opened")["ciso"]
        assert "owner의 대행자로서 알립니다." in body

    def test_only_the_person_or_counsel_or_a_manager_says_so(self, company: Company) -> None:
        fields = {"entity": company.entity, "begins_at": AT, "ends_at": later(AT, days=1), "deputy": None, "at": AT}
        absence.absence_record(person=company.cpo, by=company.cpo, **fields)
        for by in (company.ciso, company.stranger):
            with pytest.raises(NotPermitted):
                absence.absence_record(person=company.cpo, by=by, **fields)

    def test_what_cannot_be_is_refused(self, company: Company) -> None:
        fields = {"entity": company.entity, "at": AT, "by": company.manager, "begins_at": AT, "ends_at": DUE}
        refused = [
            ("absence_ends", {"person": company.cpo, "deputy": None, "ends_at": AT}),
            ("absence_ends", {"person": company.cpo, "deputy": None, "begins_at": later(AT, days=-3), "ends_at": AT}),
            ("unfit_deputy", {"person": company.cpo, "deputy": company.cpo}),
            ("unfit_deputy", {"person": company.cpo, "deputy": company.auditor}),
            ("unfit_deputy", {"person": company.cpo, "deputy": company.stranger}),
            ("no_role", {"person": company.stranger, "deputy": company.cpo}),
        ]
        for code, given in refused:
            with pytest.raises(BadInput) as error:
                absence.absence_record(**{**fields, **given})
            assert error.value.code == code
        quiet = {"entity": company.entity, "at": AT, "by": company.manager, "quiet_from": None, "quiet_until": None}
        with pytest.raises(BadInput) as error:
            absence.preference_set(**{**quiet, "quiet_from": time(22)}, person=None, deputy=None)
        assert error.value.code == "quiet_half"
        with pytest.raises(BadInput) as error:
            absence.preference_set(**quiet, person=None, deputy=company.cpo)
        assert error.value.code == "deputy_of_nobody"

    def test_it_is_journaled_without_names(self, company: Company) -> None:
        self.away(company, company.owner, company.ciso)
        entry = JournalEntry.objects.get(action="absence.recorded")
        assert (entry.chain, entry.actor) == ("system", f"user:{company.manager.pk}")
        assert entry.detail == {"person": f"user:{company.owner.pk}", "deputy": f"user:{company.ciso.pk}"}


class TestSteps:
    def test_a_duty_found_overdue_goes_to_the_due_step_and_says_so(self, company: Company) -> None:
        incident = make_incident(company, at=AT, known_at=later(AT, days=-3), personal_data=False)
        timers.fire_due(now=AT)
        assert reached(incident) == {"due": 0}
        body = told(incident, "due")["owner"]
        assert "발견했을 때 이미 시한이 지나 있었습니다" in body
        entry = JournalEntry.objects.get(
            action="escalation.reached",
            chain=incident.code,
            detail__rung="due",
            subject__contains="kr.network-act.incident-report/initial",
        )
        assert entry.detail["found_overdue"]
        assert entry.detail["merged"][0] == "opened"

    def test_a_duty_found_late_stands_for_the_steps_there_was_no_time_for(self, company: Company) -> None:
        incident = make_incident(company, at=AT, known_at=later(AT, hours=-20), personal_data=False)
        timers.fire_due(now=AT)
        bodies = told(incident, "opened")
        assert set(bodies) == {"owner", "counsel"}
        assert "다음 단계를 따로 보낼 시간이 없어" in bodies["owner"]
        assert "절반 경과, 4분의 1 남음" in bodies["owner"]

    def test_each_message_asks_for_the_reason_for_lateness_until_it_is_recorded(
        self, incident: Incident, company: Company
    ) -> None:
        run_until(later(DUE, hours=1))
        assert "지연 사유: 아직 기록되지 않음: 지금 기록하십시오" in told(incident, "plus-1h")["manager"]
        services.late_reason_record(
            obligation=duty(incident),
            reason="당직자에게 알리지 못했음을 확인함",
            at=later(DUE, hours=2),
            by=company.owner,
        )
        run_until(later(DUE, hours=4))
        assert "지연 사유: 기록됨" in told(incident, "plus-4h")["ciso"]

    def test_a_possible_duty_climbs_too_and_says_what_is_unknown(self, company: Company) -> None:
        incident = make_incident(company, at=AT, is_cyber=None)
        services.fact_record(incident=incident, name="incident.occurred_at", value=AT, at=AT, by=company.owner)
        run_until(later(DUE, hours=1))
        row = duty(incident)
        assert row.state == "possible"
        assert {"half", "due", "plus-1h"} <= set(reached(incident))
        body = told(incident, "half")["owner"]
        assert "판단 기한: 2026-11-03 (화) 09:00 KST" in body
        assert "아직 모르는 것: " in body

    def test_a_rule_we_are_not_sure_of_asks_a_lawyer_to_confirm_it(self, company: Company) -> None:
        incident = make_incident(company, at=AT, personal_data=False)
        row = duty(incident)
        # As the engine gives a rule of low confidence: possible, with its number as guidance only.
        row.duty = {**row.duty, "confidence": "low", "questions": []}
        row.due_at, row.target_at, row.generation = None, later(AT, hours=24), 2
        row.soften()
        row.save()
        timers.schedule_obligation(obligation=row, at=AT)
        timers.fire_due(now=AT)
        assert duty(incident).ladder == "to-confirm"
        bodies = told(incident, "opened")
        assert set(bodies) == {"counsel"}
        assert "“침해사고 최초신고” 해당 여부를 법무가 확인해야 함" in bodies["counsel"]
        assert "법무 또는 승인자가 사건 화면에서 따를지 정합니다" in bodies["counsel"]

    def test_repeats_missed_in_an_outage_are_told_once(self, incident: Incident) -> None:
        run_until(later(DUE, hours=12))
        timers.fire_due(now=later(DUE, hours=12 + 24 * 3 + 1))
        repeats = duty(incident).escalations.filter(kind="repeat")
        assert [row.rung for row in repeats] == ["repeat-1", "repeat-3"]
        assert [key for key, _name in repeats.last().detail["merged"]] == ["repeat-2"]
        run_until(later(DUE, hours=12 + 24 * 4))
        assert duty(incident).escalations.filter(rung="repeat-4").exists()

    def test_repeats_grow_in_rank(self, incident: Incident) -> None:
        run_until(later(DUE, days=20))
        ranks = [set(row.roles) for row in duty(incident).escalations.filter(kind="repeat").order_by("at")]
        assert all(low <= high for low, high in pairwise(ranks))
        assert ranks[0] < ranks[-1]

    def test_one_missed_run_still_fires_late_after_the_due_moment_and_says_so(self, incident: Incident) -> None:
        timers.fire_due(now=later(DUE, hours=2))
        due = step(incident, "due")
        assert due.late_seconds == 7200
        assert "120" in told(incident, "due")["owner"]
        assert duty(incident).overdue_at == DUE


class TestSeverity:
    def test_a_severe_incident_climbs_another_ladder_from_then_on(self, incident: Incident, company: Company) -> None:
        timers.fire_due(now=AT)
        assert duty(incident).ladder == "duty"
        now = later(AT, hours=1)
        services.fact_record(incident=incident, name="risk.level", value="high", at=now, by=company.owner)
        row = duty(incident)
        assert (row.ladder, row.generation) == ("severe", 2)
        assert Incident.objects.get(pk=incident.pk).severity == "high"
        run_until(later(AT, hours=23))
        assert {row.detail["ladder"] for row in row.escalations.filter(at__gt=AT)} == {"severe"}
        assert "executive" in told(incident, "tenth")
        assert JournalEntry.objects.filter(action="incident.severity", detail={"was": "", "is": "high"}).exists()

    def test_and_back_when_the_fact_is_taken_back(self, incident: Incident, company: Company) -> None:
        services.fact_record(incident=incident, name="risk.level", value="high", at=AT, by=company.owner)
        services.fact_record(incident=incident, name="risk.level", value="risk", at=AT, by=company.owner)
        assert duty(incident).ladder == "duty"
        assert Incident.objects.get(pk=incident.pk).severity == ""

    def test_assessing_again_changes_nothing(self, incident: Incident, company: Company) -> None:
        services.fact_record(incident=incident, name="risk.level", value="high", at=AT, by=company.owner)

        def state() -> tuple:
            rows = Timer.objects.order_by("pk").values_list("pk", "generation", "state", "attempt_at")
            duties = incident.obligations.order_by("pk").values_list("pk", "generation", "state", "due_at", "ladder")
            return list(rows), list(duties), JournalEntry.objects.count(), OutboxMessage.objects.count()

        before = state()
        for minutes in (0, 0, 7):
            services.reassess(incident=incident, at=later(AT, minutes=minutes), by=company.owner)
        assert state() == before


class TestPages:
    def test_a_person_records_an_absence_and_quiet_hours(self, company: Company, client: Client) -> None:
        client.force_login(company.owner)
        path = reverse("incidents:availability") + f"?entity={company.entity.key}"
        with simulated(AT):
            answer = client.post(
                path,
                {
                    "action": "absence",
                    "person": company.owner.pk,
                    "begins_at": "2026-11-03T09:00",
                    "ends_at": "2026-11-05T09:00",
                    "deputy": company.ciso.pk,
                },
            )
            assert answer.status_code == 302
            answer = client.post(
                path,
                {"action": "preference", "person": company.owner.pk, "quiet_from": "22:00", "quiet_until": "07:00"},
            )
            assert answer.status_code == 302
            page = client.get(path).content.decode()
        assert "22:00–07:00" in page
        row = company.entity.absences.get()
        assert (row.deputy, row.begins_at) == (company.ciso, kst("2026-11-03 09:00"))
        with simulated(AT):
            assert client.post(path, {"action": "back", "absence": row.pk}).status_code == 302
        assert company.entity.absences.get().ended_by == company.owner

    def test_mistakes_stand_beside_their_fields(self, company: Company, client: Client) -> None:
        client.force_login(company.owner)
        with simulated(AT):
            answer = client.post(
                reverse("incidents:availability"),
                {
                    "action": "absence",
                    "person": company.owner.pk,
                    "begins_at": "2026-11-05T09:00",
                    "ends_at": "2026-11-03T09:00",
                },
            )
        assert answer.status_code == 422
        assert "must end after it begins" in answer.content.decode()

    def test_others_are_out_of_reach(self, company: Company, client: Client) -> None:
        client.force_login(company.ciso)
        with simulated(AT):
            answer = client.post(
                reverse("incidents:availability"),
                {
                    "action": "absence",
                    "person": company.owner.pk,
                    "begins_at": "2026-11-03T09:00",
                    "ends_at": "2026-11-05T09:00",
                },
            )
            assert answer.status_code == 422
            client.force_login(make_user("nobody"))
            assert client.get(reverse("incidents:availability")).status_code == 404
        assert not company.entity.absences.exists()
