"""Forms: one look-alike folder each, with form.yaml (fields), template.html and sample.yaml."""

from reports.forms.registry import Contradiction, Field, Form, get_form
from reports.forms.tailor import form_for, forms_for, tailored
from reports.forms.translations import is_translated, languages_of, translated

__all__ = [
    "Contradiction",
    "Field",
    "Form",
    "form_for",
    "forms_for",
    "get_form",
    "is_translated",
    "languages_of",
    "tailored",
    "translated",
]
