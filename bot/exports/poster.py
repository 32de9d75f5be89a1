"""Posters with QR codes that know where they hang; texts from content/poster.yaml, set by Typst."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from datetime import date
from pathlib import Path
from typing import Annotated, Literal
from urllib.parse import quote, urlsplit

import orjson
from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from bot.errors import BotError
from bot.exports.qr import draw_code
from bot.library.articles import Library
from bot.library.bilingual import Bilingual, BilingualList
from bot.library.regions import Regions
from bot.library.sources import Source, source_name
from bot.settings import Settings
from bot.yaml_document import read_model

Size = Literal["a4", "a5"]
Form = Literal["pdf", "png"]

TEXT_FILE = "poster.yaml"
# What may be asked for by one word: paper of two sizes, or a picture for phones.
FORMS: Mapping[str, tuple[Size, Form]] = {"a4": ("a4", "pdf"), "a5": ("a5", "pdf"), "png": ("a4", "png")}
SIZES: dict[Size, tuple[int, int]] = {"a4": (210, 297), "a5": (148, 210)}  # millimetres
MEDIA_TYPES: dict[Form, str] = {"pdf": "application/pdf", "png": "image/png"}
_PICTURE_PPI: dict[Size, int] = {
    "a4": 150,
    "a5": 212,
}  # about 1240 pixels wide: sharp on a phone, and still a small file
_CODE_SIDE = {1: 66, 2: 62, 3: 57}  # millimetres on A4, by how many codes share the line
_TITLE_SIZES = ((11, 68), (14, 58), (18, 46), (24, 36), (99, 26))  # longest line in letters, points on A4
_FOLDER = Path(__file__).resolve().parent
_SPACE, _FIXED_SPACE = " ", "\u00a0"

Text = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1)]


class NoEntryPoint(BotError):
    """No channel is set up that a code could lead to."""


class TooMuchText(BotError):
    """The texts do not fit one page."""


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class PosterStep(_Model):
    """One of the three steps."""

    title: Bilingual
    text: Bilingual


class PosterText(_Model):
    """Everything a poster says, and the words that are never parted at the end of a line."""

    title: BilingualList
    subtitle: Bilingual
    steps: tuple[PosterStep, PosterStep, PosterStep]
    then_type: Bilingual
    code: Bilingual
    web: Bilingual
    both_books: Bilingual
    safety: Bilingual
    trial: Bilingual
    numbers: tuple[Text, ...] = ()
    together: tuple[Text, ...] = Field(())


@dataclass(frozen=True, slots=True)
class EntryPoint:
    """A way into the chat: the address in the code, how it reads, and what must be typed where it carries no source."""

    name: str
    address: str
    shown: str
    type: str = ""


def load_poster_text(folder: Path) -> PosterText:
    """Load `poster.yaml` of a content folder; raises ContentError with all problems."""
    return read_model(folder / TEXT_FILE, PosterText)[0]


def doors(settings: Settings, text: PosterText, code: str, language: str = "vi") -> tuple[EntryPoint, ...]:
    """List the ways into the chat that are set up, the one most people have first."""
    found = []
    if link := settings.zalo_oa.link:
        found.append(EntryPoint("Zalo", link, _bare(link), code))  # its links carry no source
    if link := settings.web.public_url:
        found.append(EntryPoint(text.web.in_language(language), f"{link}/?s={quote(code)}", _bare(link)))
    if name := settings.telegram.username:
        found.append(EntryPoint("Telegram", f"https://t.me/{name}?start={quote(code)}", f"@{name}"))
    return tuple(found)


def make_poster(
    source: Source,
    text: PosterText,
    *,
    regions: Regions,
    library: Library,
    settings: Settings,
    today: date,
    size: Size = "a4",
    form: Form = "pdf",
    language: str = "vi",
) -> bytes:
    """Set the poster of a district, commune or unit as one page; raises NoEntryPoint when no channel is set up.

    Raises TooMuchText when an edit of the texts made them longer than the page.
    """
    import typst  # loaded only where papers are made

    entrances = doors(settings, text, source.code, language)
    if not entrances:
        raise NoEntryPoint("No poster without a way in: set zalo_oa.link, web.public_url or telegram.username.")
    data = _data(source, text, entrances, regions, library, settings, today, size, language)
    pages = typst.compile(
        _FOLDER / "poster.typ",
        format=form,
        ppi=_PICTURE_PPI[size],
        font_paths=[_FOLDER / "fonts"],
        ignore_system_fonts=True,
        sys_inputs={"data": orjson.dumps(data).decode()},
        pdf_standards="ua-1" if form == "pdf" else None,
    )
    if not isinstance(pages, bytes) or (form == "pdf" and len(re.findall(rb"/Type\s*/Page\b", pages)) > 1):
        raise TooMuchText(f"The poster of {source.code} is longer than one page; shorten the texts in {TEXT_FILE}.")
    return pages


def file_name(source: Source, *, size: Size, form: Form) -> str:
    """Name a poster's file after its code, size and form."""
    return f"poster-{source.code}-{size}.{form}"


def _data(
    source: Source,
    text: PosterText,
    entrances: tuple[EntryPoint, ...],
    regions: Regions,
    library: Library,
    settings: Settings,
    today: date,
    size: Size,
    language: str,
) -> dict[str, object]:
    place, within = source_name(source, regions, today=today, language=language)
    province = settings.operator.place
    if province and province not in within:
        within = f"{within}, {province}" if within else province
    agency = settings.operator.name or text.trial
    manual = library.manual.links["manual"]
    width, height = SIZES[size]
    title = text.title.in_language(language)
    longest = max(map(len, title))
    report = library.menu.items["report"].label.in_language(language)

    def kept(words: str) -> str:
        return keep_together(words, text.together)

    return {
        "language": language,
        "width": width,
        "height": height,
        "headline": f"{_SPACE.join(title)} – {place}",
        "place": kept(_capital(place)),
        "within": kept(_capital(within)),
        "title": [line.replace(_SPACE, _FIXED_SPACE) for line in title],
        "title_size": next(points for letters, points in _TITLE_SIZES if longest <= letters),
        "subtitle": kept(text.subtitle.in_language(language)),
        "steps": [
            {
                "title": kept(step.title.in_language(language)),
                "text": kept(step.text.in_language(language).replace("{report}", report)),
            }
            for step in text.steps
        ],
        "doors": [
            {**asdict(door), "svg": draw_code(door.address), "alt": f"{door.name}: {door.address}"}
            for door in entrances
        ],
        "code_side": _CODE_SIDE[len(entrances)],
        "then_type": text.then_type.in_language(language),
        "safety": kept(text.safety.in_language(language)),
        "both_books": kept(text.both_books.in_language(language)),
        "manual": kept(f"{manual.label.in_language(language)}: "),
        "manual_address": _bare(manual.url),
        "numbers": list(_numbers(text, library, language)),
        "code_line": f"{text.code.in_language(language)}: {source.code}".replace(_SPACE, _FIXED_SPACE),
        "agency": kept(_capital(agency.in_language(language))),
    }


def _numbers(text: PosterText, library: Library, language: str) -> Iterator[str]:
    """List the wanted phone numbers that are confirmed today; a wrong number on paper cannot be taken back."""
    for contact in library.manual.contacts:
        if contact.id in text.numbers and contact.status == "current":
            yield f"{contact.name.in_language(language)}: {contact.number}".replace(_SPACE, _FIXED_SPACE)


def keep_together(words: str, together: tuple[str, ...]) -> str:
    """Fix the spaces within words of several syllables, after a lone first and before a lone last syllable."""
    for phrase in together:
        pattern = re.compile(rf"(?<!\w){re.escape(phrase)}(?!\w)", re.IGNORECASE)
        words = pattern.sub(lambda match: match.group().replace(_SPACE, _FIXED_SPACE), words)
    # A syllable alone on the last line looks like a mistake.
    head, space, tail = words.rpartition(_SPACE)
    return f"{head}{_FIXED_SPACE}{tail}" if space and len(tail) < 6 and len(words) > 24 else words


def _bare(address: str) -> str:
    """Write an address as people read it: without scheme and last slash."""
    parts = urlsplit(address)
    return f"{parts.netloc}{parts.path.rstrip('/')}"


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
