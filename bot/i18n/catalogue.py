"""The bot's own sentences in each language, and figures and dates as that language writes them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date, datetime, tzinfo
from pathlib import Path

from babel import Locale
from babel.dates import format_date, format_datetime
from babel.numbers import format_decimal, format_percent
from babel.support import Translations

from bot.errors import ContentError, Problem
from bot.text.normalize import words

LOCALE_FOLDER = Path(__file__).resolve().parents[2] / "locale"
NAMES = {"vi": "Tiếng Việt", "en": "English"}
_TERRITORY = {"vi": "vi_VN", "en": "en_GB"}
_DAY = {"vi": "dd/MM/yyyy", "en": "d MMMM yyyy"}
_APPOINTMENT = {"vi": "HH:mm, EEEE dd/MM/yyyy", "en": "HH:mm, EEEE d MMMM yyyy"}
_MINUTE = {"vi": "HH:mm, dd/MM/yyyy", "en": "HH:mm, d MMMM yyyy"}


_ENGLISH = frozenset(
    {
        "a", "an", "and", "any", "app", "are", "can", "code", "did", "do", "does", "download", "english", "for", "from",
        "get", "have", "hello", "help", "hi", "how", "i", "install", "is", "it", "link", "login", "me", "my", "need",
        "not", "of", "on", "or", "password", "phone", "please", "register", "show", "the", "this", "to", "vaccine",
        "want", "what", "when", "where", "which", "who", "why", "with", "without", "work", "you", "your",
    }
)  # fmt: skip
# Vietnamese sentences hold these too ("download app o dau"), so that they alone prove nothing.
_LOANS = frozenset(("app", "code", "download", "install", "link", "login", "password", "phone", "register", "vaccine"))
_SHARE_OF_ENGLISH = 0.5


def mark(sentence: str) -> str:
    """Mark a sentence for translation where it is written; it is translated where it is shown."""
    return sentence


def looks_english(text: str) -> bool:
    """Tell whether a message is more likely English than Vietnamese without marks."""
    if not text.isascii():
        return False
    typed = words(text)
    if not any(word in _ENGLISH and word not in _LOANS for word in typed):
        return False
    return len(typed) > 1 and sum(word in _ENGLISH for word in typed) / len(typed) >= _SHARE_OF_ENGLISH


class Catalogue:
    """One language: its sentences, numbers and dates."""

    def __init__(self, language: str, sentences: Translations) -> None:
        self.language = language
        self._sentences = sentences
        self._locale = Locale.parse(_TERRITORY[language])

    def t(self, sentence: str, /, **values: object) -> str:
        """Translate an English sentence and fill its {placeholders}."""
        translated: str = self._sentences.gettext(sentence)
        return translated.format(**values) if values else translated

    def number(self, value: float) -> str:
        """Write a number: 67.750 in Vietnamese, 67,750 in English."""
        return format_decimal(value, locale=self._locale)

    def percent(self, share: float, digits: int = 2) -> str:
        """Write a share from 0 to 1 as per cent: 8,58% in Vietnamese."""
        pattern = "#,##0." + "0" * digits + "%" if digits else "#,##0%"
        return format_percent(share, format=pattern, locale=self._locale)

    def day(self, value: date) -> str:
        """Write a calendar day: 23/11/2026 in Vietnamese."""
        return format_date(value, format=_DAY[self.language], locale=self._locale)

    def minute(self, value: datetime, zone: tzinfo) -> str:
        """Write a moment to the minute, in local time."""
        return format_datetime(value.astimezone(zone), format=_MINUTE[self.language], locale=self._locale)

    def weekday(self, value: date) -> str:
        """Name the day of the week within a sentence: thứ Hai in Vietnamese."""
        return _within_sentence(format_date(value, format="EEEE", locale=self._locale))

    def appointment(self, value: datetime, zone: tzinfo) -> str:
        """Write a moment to come so that nobody mistakes the day: 19:00, thứ Ba 24/11/2026 in Vietnamese."""
        said = format_datetime(value.astimezone(zone), format=_APPOINTMENT[self.language], locale=self._locale)
        return _within_sentence(said)


def _within_sentence(text: str) -> str:
    """Write the day of the week as Vietnamese does within a sentence; Babel gives it a capital."""
    return text.replace("Thứ ", "thứ ").replace("Chủ Nhật", "Chủ nhật")


def load_catalogues(languages: Iterable[str], folder: Path = LOCALE_FOLDER) -> Mapping[str, Catalogue]:
    """Load the compiled catalogues; raises ContentError naming those that were not built."""
    catalogues: dict[str, Catalogue] = {}
    problems: list[Problem] = []
    for language in languages:
        compiled = folder / language / "LC_MESSAGES" / "messages.mo"
        if not compiled.exists():
            sentence = "is not built; run: pybabel compile -d locale"
            problems.append(Problem(f"locale/{language}/LC_MESSAGES/messages.mo", 0, sentence))
            continue
        sentences = Translations.load(str(folder), [_TERRITORY[language], language])
        catalogues[language] = Catalogue(language, sentences)  # type: ignore[arg-type]
    if problems:
        raise ContentError(problems)
    return catalogues
