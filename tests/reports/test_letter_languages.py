"""Letters to people in further languages: every word translated, the language set, and no note of ours on the letter."""

import io

import pypdf
import pytest
from django.test import Client

from compliance import clock
from compliance.engine import LawError
from compliance.engine.strict import Node, read_yaml
from compliance.errors import BadInput, Refused
from incidents import services
from incidents.models import JournalEntry
from reports import prefill, render, statement
from reports import services as reports
from reports.denials import denies
from reports.forms import get_form, languages_of, translated
from reports.forms.registry import FOLDER
from reports.forms.translations import read_translation
from reports.forms.words import FURTHER_NAMES
from reports.models import Filing
from reports.sayings import say
from tests.factories import Company, kst, make_incident
from tests.reports.test_documents import text_of

AT = kst("2026-11-02 20:00")
FILES = sorted(FOLDER.glob("*/languages/*.yaml"))


@pytest.fixture
def filing(company: Company, settings, tmp_path) -> Filing:
    """The letter of a company in the Union to the people concerned."""
    settings.FILES_ROOT = tmp_path / "files"
    entity = company.entity
    entity.establishments, entity.markets, entity.roles, entity.zone = ["DE"], ["EU"], ["controller"], "Europe/Berlin"
    entity.save()
    incident = make_incident(company, at=AT, code="2026-014")
    facts = {
        "leak.confirmed": True, "leak.known_at": AT, "risk.level": "high", "leak.circumstances": "고객 화면에 접근됨",
        "leak.items": "Name, Anschrift", "leak.relief": "Zugang gesperrt", "filing.consequences": "Phishing",
    }  # fmt: skip
    rows = [{"name": name, "value": value} for name, value in facts.items()]
    services.facts_record(incident=incident, facts=rows, at=AT, by=company.owner)
    duty = incident.obligations.get(rule="eu.gdpr.breach", stage="data_subjects")
    return reports.filing_start(incident=incident, obligations=[duty], at=AT, by=company.owner, form="eu_gdpr_art34")


def choose(filing: Filing, language: str) -> Filing:
    return reports.filing_language(filing=filing, language=language, at=AT, by=filing.author)


def test_the_letters_that_the_law_or_the_audience_needs_are_there() -> None:
    union = tuple(sorted(FURTHER_NAMES))
    assert languages_of(get_form("eu_gdpr_art34")) == ("en", *union)
    assert languages_of(get_form("eu_611_2013_letter")) == ("en", *union)
    assert languages_of(get_form("ch_subject_letter")) == ("en", "de", "fr", "it")
    assert languages_of(get_form("br_subject_letter")) == ("en", "pt")
    assert languages_of(get_form("ca_qc_subject_letter")) == ("en", "fr")


@pytest.mark.parametrize("path", FILES, ids=[f"{path.parent.parent.name}-{path.stem}" for path in FILES])
def test_every_word_of_a_letter_is_in_its_language(path) -> None:
    base = get_form(path.parent.parent.name)
    form = translated(base, path.stem, rule=base.serves[0].rule)
    (stage,) = form.stages
    texts = [form.title, form.addressee, form.basis, *form.opening.values(), *form.stages.values()]
    texts += [item.label for item in form.fields(stage)]
    for text in texts:
        assert text.get(path.stem) not in ("", text.en)


@pytest.mark.parametrize("language", sorted(FURTHER_NAMES))
def test_the_document_is_in_its_language_with_its_typeface_and_without_our_note(filing: Filing, language: str) -> None:
    made = statement.build(choose(filing, language), at=AT, journal_head="0" * 64, frozen=True)
    content = render.to_pdf(made)
    reader = pypdf.PdfReader(io.BytesIO(content))
    assert reader.root_object["/Lang"] == language
    said = "".join(text_of(content).split())
    form = prefill.form_of(Filing.objects.get(pk=filing.pk))
    for text in (form.title, *form.opening.values(), form.field("relief").label, form.basis):
        assert "".join(text.get(language).split()) in said
    assert "".join(say("unknown_letter", language).split()) in said
    assert "[U+" not in said
    assert "native" not in said


def test_the_choice_is_in_the_journal_and_what_people_wrote_stays(filing: Filing) -> None:
    reports.filing_edit(filing=filing, values={"relief": "Zugang gesperrt."}, edition=1, at=AT, by=filing.author)
    held = choose(filing, "de")
    assert held.values["relief"]["value"] == "Zugang gesperrt."
    assert JournalEntry.objects.get(action="filing.language_chosen").detail == {"language": "de"}
    assert choose(filing, "en").language == ""


def test_a_language_without_words_is_refused(filing: Filing) -> None:
    with pytest.raises(BadInput) as refused:
        choose(filing, "sv")
    assert (refused.value.code, refused.value.field) == ("unknown_language", "language")


def test_the_language_is_chosen_in_a_draft_only(filing: Filing) -> None:
    reports.filing_withdraw(filing=filing, reason="보내지 않음", at=AT, by=filing.author)
    with pytest.raises(Refused):
        choose(filing, "de")


@pytest.mark.parametrize(
    ("language", "words"), [("ko", "원어민 변호사가 검토하지 않은"), ("en", "not reviewed by a native lawyer")]
)
def test_the_page_says_that_no_native_lawyer_read_it_and_what_is_not_in_it_yet(
    filing: Filing, client: Client, language: str, words: str
) -> None:
    client.force_login(filing.author)
    client.cookies["django_language"] = language
    address = "/incidents/2026-014/filings/1/"
    with clock.simulated(AT):
        assert words not in client.get(address).content.decode()
        client.post(address, {"action": "language", "language": "de"})
        shown = client.get(address).content.decode()
    assert words in shown
    label = get_form("eu_gdpr_art34").field("circumstances").label.get(language)
    assert label in shown.split('id="translation"')[1].split("</div>")[0]


@pytest.mark.parametrize(
    "text",
    [
        "Es gibt keine Anzeichen für einen Abfluss.", "Aucun indice de fuite de données.", "Nessuna evidenza di accesso.",
        "No hay indicios de acceso.", "Não há indícios de acesso.", "Er zijn geen aanwijzingen voor misbruik.",
        "Nie ma dowodów na wyciek.",
    ],
)  # fmt: skip
def test_a_denial_is_recognised_in_the_language_of_the_letter(text: str) -> None:
    assert denies(text)


MISTAKES = [
    ({"title": ""}, "title"),
    ({"basis": {"xx.nothing": "Art. 1"}}, "basis.xx.nothing"),
    ({"fields": {"circumstances": "Was geschehen ist"}}, "fields"),
    ({"greeting": "Hallo"}, "greeting"),
]


@pytest.mark.parametrize(("change", "place"), MISTAKES)
def test_a_wrong_translation_is_named(change: dict, place: str) -> None:
    held = read_yaml((FOLDER / "eu_gdpr_art34/languages/de.yaml").read_text(encoding="utf-8"), file="de.yaml")
    with pytest.raises(LawError, match=place):
        read_translation(Node({**held, **change}, file="de.yaml"), get_form("eu_gdpr_art34"), "de")
