"""Finding rules of the library by place and words."""

from compliance.engine import Rule


def fits(rule: Rule, place: str, words: str) -> bool:
    """Whether ``rule`` is of ``place`` (any, if empty) and holds every one of ``words``."""
    if place and rule.jurisdiction != place:
        return False
    held = (
        rule.key,
        rule.title.ko,
        rule.title.en,
        rule.instrument.ko,
        rule.instrument.en,
        rule.who_text.ko,
        rule.who_text.en,
    )
    text = " ".join([*held, *(name.en for name in rule.addressees), *(name.ko for name in rule.addressees)]).lower()
    return all(word in text for word in words.lower().split())
