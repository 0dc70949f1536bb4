"""The form on how an authority is reached."""

from typing import Any

from django import forms
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from compliance.models import AuthorityContact, Entity
from incidents.services import contacts


class ContactForm(forms.Form):
    """One authority as one entity reaches it. The service checks the values."""

    entity = forms.ModelChoiceField(label=_("Entity"), queryset=Entity.objects.none(), empty_label=None)
    authority = forms.ChoiceField(label=_("Authority"), help_text=_("As the law library names it."))
    portal = forms.CharField(
        label=_("Portal"), max_length=500, required=False, help_text=_("An address that begins with https://")
    )
    email = forms.CharField(label=_("E-mail"), max_length=254, required=False)
    phone = forms.CharField(label=_("Telephone"), max_length=60, required=False)
    address = forms.CharField(
        label=_("Postal address"), max_length=500, required=False, widget=forms.Textarea(attrs={"rows": 3})
    )
    source = forms.CharField(
        label=_("Source"), max_length=300, help_text=_("Where this was read, so that it can be looked up.")
    )
    checked_on = forms.DateField(label=_("Checked on"), widget=forms.DateInput(attrs={"type": "date"}))

    def __init__(self, *args: Any, entities: Any, contact: AuthorityContact | None = None, **options: Any) -> None:
        if contact is not None:
            names = ("authority", *contacts.FIELDS)
            options["initial"] = {name: getattr(contact, name) for name in names} | {"entity": contact.entity_id}
        super().__init__(*args, **options)
        self.fields["entity"].queryset = entities
        language = get_language() or "en"
        named = [(key, text.get(language)) for key, text in contacts.authorities().items()]
        self.fields["authority"].choices = [("", "–"), *sorted(named, key=lambda item: item[1])]
        if contact is not None:
            # What the row is about does not change; another authority gets another row.
            for name in ("entity", "authority"):
                self.fields[name].disabled = True
