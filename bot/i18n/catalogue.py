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
        "a", "about", "account", "activate", "add", "after", "all", "already", "also", "am", "an", "and", "any",
        "app", "are", "as", "ask", "at", "available", "be", "because", "been", "before", "book", "but",
        "button", "by", "call", "can", "cannot", "card", "change", "code", "coming", "could", "crash",
        "crashes", "crashing", "date", "day", "did", "do", "doctor", "does", "doesn", "don", "done", "download",
        "each", "email", "english", "enter", "error", "every", "fever", "for", "from", "get", "give", "go",
        "good", "got", "had", "has", "have", "health", "hello", "help", "her", "here", "hi", "his", "hospital",
        "how", "husband", "i", "id", "if", "in", "install", "installed", "insurance", "into", "is", "it", "its",
        "just", "keeps", "know", "language", "level", "like", "link", "local", "log", "login", "long", "lost",
        "make", "many", "me", "message", "missing", "mobile", "more", "must", "my", "name", "need", "new",
        "next", "no", "not", "now", "number", "of", "off", "office", "officer", "old", "on", "once", "one",
        "open", "or", "other", "out", "over", "paper", "password", "permit", "phone", "please", "record",
        "register", "registered", "reinstall", "remind", "report", "residence", "result", "says", "scan",
        "screen", "see", "send", "set", "should", "show", "shows", "sick", "sign", "so", "some", "someone",
        "speak", "speaking", "spouse", "start", "step", "still", "stop", "stopped", "take", "talk", "tell",
        "temporary", "test", "than", "thank", "thanks", "that", "the", "their", "them", "then", "there", "they",
        "this", "time", "to", "today", "tomorrow", "too", "try", "trying", "under", "until", "up", "update",
        "use", "vaccinated", "vaccination", "vaccine", "visits", "want", "was", "we", "website", "welcome",
        "well", "went", "were", "what", "when", "where", "which", "who", "why", "wife", "will", "with",
        "without", "word", "work", "working", "works", "would", "wrong", "yes", "yesterday", "yet", "you",
        "your",
    }
)  # fmt: skip
# Vietnamese sentences hold these too ("download app o dau"), so that they alone prove nothing.
_LOANS = frozenset(("app", "code", "download", "install", "link", "login", "password", "phone", "register", "vaccine"))
# Words of Vietnamese sentences, without marks; two of them, or a marked letter, make a message Vietnamese.
_VIETNAMESE = frozenset(
    {
        "anh", "ban", "bao", "bi", "biet", "bo", "cach", "cai", "cam", "can", "chi", "cho", "chua", "co",
        "con", "cua", "dang", "dau", "di", "dien", "doi", "duoc", "em", "gi", "giup", "gui", "hay", "hoi",
        "khong", "la", "lai", "lam", "loi", "ma", "mat", "may", "me", "minh", "mo", "moi", "mui", "muon",
        "nao", "nay", "nguoi", "nhan", "nhap", "nhe", "nhu", "noi", "on", "qua", "quen", "roi", "sao", "so",
        "suc", "tai", "thay", "the", "thi", "tiem", "tieng", "toi", "trong", "tu", "va", "van", "vao", "ve",
        "viet", "voi", "xem", "xong",
    }
)  # fmt: skip
_SHARE_OF_ENGLISH = 0.4


def mark(sentence: str) -> str:
    """Mark a sentence for translation where it is written; it is translated where it is shown."""
    return sentence


def looks_english(text: str) -> bool:
    """Tell whether a message is more likely English than Vietnamese without marks."""
    if not text.isascii():
        return False
    typed = words(text)
    english = [word for word in typed if word in _ENGLISH and word not in _VIETNAMESE]
    if not any(word not in _LOANS for word in english):
        return False
    vietnamese = sum(word in _VIETNAMESE and word not in _ENGLISH for word in typed)
    return len(typed) > 1 and len(english) > vietnamese and len(english) / len(typed) >= _SHARE_OF_ENGLISH


def language_of(text: str) -> str:
    """Return "vi" or "en" where a message is surely written in it, else nothing ("ok", a name, a number)."""
    if looks_english(text):
        return "en"
    typed = words(text)
    if not text.isascii() and any(not word.isascii() for word in typed):
        return "vi"
    return "vi" if len(typed) > 1 and sum(word in _VIETNAMESE for word in typed) * 2 >= len(typed) else ""


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
