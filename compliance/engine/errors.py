"""What can be wrong with law, facts and times. Messages are read by people, in Korean and English."""


class EngineError(ValueError):
    """Anything the engine refuses."""


class LawError(EngineError):
    """A file of law, policy or facts that cannot be used: which file, which key, what was expected."""

    def __init__(self, file: str, key: str, expected: str) -> None:
        super().__init__(f"{file}: {key}: {expected}")
        self.file = file
        self.key = key
        self.expected = expected


class TimeError(EngineError):
    """A local time that cannot be turned into one instant. ``ko`` and ``en`` are what a person is shown."""

    def __init__(self, *, ko: str, en: str) -> None:
        super().__init__(en)
        self.ko = ko
        self.en = en


class NaiveInstant(TimeError):
    """A time without zone where one was needed."""


class RepeatedLocalTime(TimeError):
    """A local time that happens twice, when clocks are set back."""


class SkippedLocalTime(TimeError):
    """A local time that never happens, when clocks are set forward."""


class UnreadableTime(TimeError):
    """Not a date and time at all."""
