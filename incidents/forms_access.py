"""The forms on people, entities, and who sees an incident."""

import re
from collections.abc import Sequence
from typing import Any

from django import forms
from django.contrib.auth.models import User
from django.utils.translation import gettext_lazy as _

from compliance.access_policy import get_access_policy
from compliance.models import Entity, Role
from compliance.profiles import words_for
from incidents.models import Incident
from incidents.services import restriction

LANGUAGES = (("ko", "한국어"), ("en", "English"))


def named(user: User) -> str:
    """A person as people tell each other apart in a list."""
    full = user.get_full_name()
    return f"{full} ({user.get_username()})" if full else user.get_username()


class _Plain(forms.Form):
    """Fields that look like those of the other pages."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        for field in self.fields.values():
            if not isinstance(field.widget, forms.CheckboxInput | forms.CheckboxSelectMultiple):
                field.widget.attrs.setdefault("class", "form-control")


class _People(forms.ModelMultipleChoiceField):
    def label_from_instance(self, obj: Any) -> str:
        return named(obj)


class _Person(forms.ModelChoiceField):
    def label_from_instance(self, obj: Any) -> str:
        return named(obj)


class NamesForm(_Plain):
    """Whether an incident is restricted, and to whom."""

    restricted = forms.BooleanField(label=_("Restricted: nobody else learns that it exists"), required=False)
    people = _People(
        label=_("People named"),
        queryset=User.objects.none(),
        required=False,
        widget=forms.CheckboxSelectMultiple,
    )
    reason = forms.CharField(label=_("Reason"), widget=forms.Textarea(attrs={"rows": 3}), max_length=2000)

    def __init__(self, *args: Any, incident: Incident, **options: Any) -> None:
        initial = {"restricted": incident.restricted, "people": restriction.named_in(incident)}
        super().__init__(*args, initial=initial, **options)
        people = User.objects.filter(memberships__entity__in=incident.entities.all(), is_active=True)
        self.fields["people"].queryset = people.distinct().order_by("first_name", "username")


class GlassForm(_Plain):
    """Opening a restricted incident with a reason."""

    code = forms.CharField(label=_("Number of the incident"), max_length=40)
    reason = forms.CharField(label=_("Reason"), widget=forms.Textarea(attrs={"rows": 4}), max_length=2000)

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.fields["reason"].help_text = _("At least %(least)d characters. The owner and counsel read it.") % {
            "least": get_access_policy().glass_reason
        }


class InviteForm(_Plain):
    """A new person."""

    email = forms.EmailField(label=_("E-mail address"), max_length=150)
    name = forms.CharField(label=_("Name"), max_length=150, required=False)
    entity = forms.ModelChoiceField(label=_("Entity"), queryset=Entity.objects.none(), empty_label=None)
    roles = forms.MultipleChoiceField(
        label=_("Roles"), choices=Role.choices, widget=forms.CheckboxSelectMultiple, required=False
    )
    language = forms.ChoiceField(label=_("Language of messages"), choices=LANGUAGES)

    def __init__(self, *args: Any, entities: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.fields["entity"].queryset = entities


class RoleForm(_Plain):
    """One more role of one person."""

    entity = forms.ModelChoiceField(label=_("Entity"), queryset=Entity.objects.none(), empty_label=None)
    role = forms.ChoiceField(label=_("Role"), choices=Role.choices)

    def __init__(self, *args: Any, entities: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.fields["entity"].queryset = entities


class LeaveForm(_Plain):
    """Deactivating a person."""

    successor = _Person(
        label=_("Who takes over the running incidents"),
        queryset=User.objects.none(),
        required=False,
        empty_label=_("Nobody: counsel and managers are told"),
    )

    def __init__(self, *args: Any, people: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.fields["successor"].queryset = people


class PasswordForm(_Plain):
    """The person's own password, typed twice."""

    password = forms.CharField(
        label=_("Password"), widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}), strip=False
    )
    again = forms.CharField(
        label=_("Password, once more"), widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}), strip=False
    )

    def clean(self) -> dict[str, Any]:
        """Both must be the same."""
        data = super().clean() or {}
        if data.get("password") and data.get("again") and data["password"] != data["again"]:
            self.add_error("again", _("The two passwords differ."))
        return data


def _words(text: str) -> list[str]:
    return [word for word in re.split(r"[\s,]+", text.strip()) if word]


def _lines(text: str) -> dict[str, str]:
    """``key = value`` on each line. What has no sign of equality keeps its words, for the refusal to show."""
    pairs = (line.partition("=") for line in text.splitlines() if line.strip())
    return {key.strip(): value.strip() for key, _sign, value in pairs}


class EntityForm(_Plain):
    """The profile of an entity."""

    key = forms.SlugField(label=_("Short name (in addresses, never changed)"), max_length=60)
    name = forms.CharField(label=_("Name as it stands on filings"), max_length=200)
    name_en = forms.CharField(label=_("Name in English"), max_length=200, required=False)
    zone = forms.CharField(label=_("Time zone"), max_length=60, initial="Asia/Seoul")
    roles = forms.MultipleChoiceField(label=_("Roles in law"), widget=forms.CheckboxSelectMultiple, required=False)
    sectors = forms.MultipleChoiceField(label=_("Sectors"), widget=forms.CheckboxSelectMultiple, required=False)
    establishments = forms.CharField(label=_("Established in (the main place first)"), initial="KR", max_length=500)
    markets_known = forms.BooleanField(
        label=_("It is known where the people live whose data it holds"), required=False, initial=True
    )
    markets = forms.CharField(label=_("Places of the people whose data it holds"), required=False, max_length=500)
    particulars = forms.CharField(
        label=_("What forms print about it"),
        widget=forms.Textarea(attrs={"rows": 6}),
        required=False,
        max_length=5000,
        help_text=_("One on each line, such as: business_number = 000-00-00000"),
    )

    def __init__(self, *args: Any, entity: Entity | None = None, **options: Any) -> None:
        if entity is not None:
            options["initial"] = _shown(entity)
        super().__init__(*args, **options)
        for field in ("roles", "sectors"):
            self.fields[field].choices = _choices(field)
        if entity is not None:
            del self.fields["key"]

    def profile(self) -> dict[str, Any]:
        """What was typed, as the fields of an entity."""
        data = self.cleaned_data
        places = _words(data["establishments"].upper())
        return {
            "name": data["name"],
            "name_en": data["name_en"],
            "zone": data["zone"].strip(),
            "roles": data["roles"],
            "sectors": data["sectors"],
            "establishments": places,
            "main_establishment": places[0] if places else "",
            "markets": _words(data["markets"].upper()) if data["markets_known"] else None,
            "particulars": _lines(data["particulars"]),
        }


def _choices(field: str) -> Sequence[tuple[str, str]]:
    from django.utils.translation import get_language

    return [(key, text.get(get_language() or "en")) for key, text in words_for(field).items()]


def _shown(entity: Entity) -> dict[str, Any]:
    main = [entity.main_establishment] if entity.main_establishment else []
    places = main + [place for place in entity.establishments if place not in main]
    return {
        "name": entity.name,
        "name_en": entity.name_en,
        "zone": entity.zone,
        "roles": entity.roles,
        "sectors": entity.sectors,
        "establishments": ", ".join(places),
        "markets_known": entity.markets is not None,
        "markets": ", ".join(entity.markets or ()),
        "particulars": "\n".join(f"{key} = {value}" for key, value in entity.particulars.items()),
    }
