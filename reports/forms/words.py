"""Words of a form: Korean and English as everywhere, and the authority's own language where that is another."""

from dataclasses import dataclass

from compliance.engine import LocalText
from compliance.engine.strict import Node

# The languages a document can be written in.
LANGUAGES = ("ko", "en", "ja")
FURTHER = frozenset(LANGUAGES) - {"ko", "en"}
# The further languages of letters (forms/KEY/languages/), as those who speak them call them.
FURTHER_NAMES = {
    "de": "Deutsch",
    "es": "Español",
    "fr": "Français",
    "it": "Italiano",
    "nl": "Nederlands",
    "pl": "Polski",
    "pt": "Português",
}
NAMES = {"ko": "한국어", "en": "English", "ja": "日本語", **FURTHER_NAMES}


@dataclass(frozen=True, slots=True)
class Words(LocalText):
    """A text in Korean, English and further languages, these as pairs of language and text."""

    more: tuple[tuple[str, str], ...] = ()

    def get(self, language: str) -> str:
        """The text in ``language``; English for one that is not written."""
        return dict(self.more).get(language) or LocalText.get(self, language)

    def to_json(self) -> dict[str, str]:
        """Every language."""
        return {**LocalText.to_json(self), **dict(self.more)}


def read_words(node: Node) -> LocalText:
    """A text with ``ko`` and ``en`` and perhaps more.

    Raises:
        LawError: one of the two is missing, or an unknown language.
    """
    node.mapping(required={"ko", "en"}, optional=set(FURTHER))
    more = tuple((language, node.at(language).text()) for language in sorted(FURTHER) if node.has(language))
    plain = LocalText(node.at("ko").text(), node.at("en").text())
    return Words(plain.ko, plain.en, more) if more else plain
