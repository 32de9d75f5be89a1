"""Posters with QR codes: for a district, a commune, or a department, school or enterprise."""

from __future__ import annotations

import asyncio
from functools import partial

from bot import access
from bot.clock import local_day
from bot.conversation.context import Route, Turn
from bot.errors import Refused
from bot.exports import poster
from bot.i18n.catalogue import mark
from bot.library.sources import Source, districts_of, find_sources, source_name
from bot.message import Attachment, Button

PLACE = "poster.place"
MOST_OFFERED = 10


async def handle(turn: Turn) -> None:
    """Find out where the poster will hang, then make it."""
    if turn.choice.startswith("poster:"):
        code, _, form = turn.argument.partition(":")
        source = turn.knowledge.sources.by_code.get(code)
        if source is None or not _own(turn, source):
            turn.say(turn.t("This choice is no longer there. Please choose again."))
            _ask(turn)
            return
        await _make(turn, source, form if form in poster.FORMS else "a4")
        return
    wanted = turn.argument if turn.command else turn.text
    if not wanted:
        _ask(turn)
        return
    found = [s for s in find_sources(wanted, turn.knowledge.sources, turn.regions) if _own(turn, s)]
    if len(found) == 1:
        await _make(turn, found[0], "a4")
    elif found:
        turn.say(turn.t("Which of these?"), buttons=[_button(turn, source) for source in found[:MOST_OFFERED]])
    else:
        turn.say(turn.t("I do not know this place or unit, or it lies outside your district."))
        _ask(turn)


def _ask(turn: Turn) -> None:
    turn.dialog.ask(PLACE)
    sources = turn.knowledge.sources
    own = [s for s in sources.by_code.values() if not s.commune and _own(turn, s)]
    turn.say(
        turn.t(
            "Where will the poster hang? Choose, or type the name of a commune, school, enterprise or department, "
            "or its code."
        ),
        buttons=[_button(turn, source) for source in own[:MOST_OFFERED]],
    )


async def _make(turn: Turn, source: Source, form: str) -> None:
    turn.dialog.close()
    size, kind = poster.FORMS[form]
    text = await asyncio.to_thread(poster.load_poster_text, turn.settings.content)
    make = partial(
        poster.make_poster,
        source,
        text,
        regions=turn.regions,
        library=turn.library,
        settings=turn.settings,
        today=local_day(turn.records.at, turn.settings.zone),
        size=size,
        form=kind,
    )
    try:
        content = await asyncio.to_thread(make)
    except poster.NoDoor:
        raise Refused(
            turn.t(
                "No poster yet: no channel is set up that its codes could lead to. Ask an admin to set zalo_oa.link, "
                "web.public_url or telegram.username."
            )
        ) from None
    name = ", ".join(filter(None, _names(turn, source)))
    said = turn.t("The poster for {place}, code {code}.", place=name, code=source.code)
    others = {
        "a4": turn.t("A4 for print (PDF)"),
        "a5": turn.t("A5 for print (PDF)"),
        "png": turn.t("Picture for phones (PNG)"),
    }
    buttons = [Button(label, f"poster:{source.code}:{other}") for other, label in others.items() if other != form]
    buttons += [Button(turn.t("Another place"), "/poster"), turn.menu_button("menu")]
    if kind == "png":
        turn.say(said, buttons=buttons, image=content, alt=said)
        return
    attachment = Attachment(poster.file_name(source, size=size, form=kind), poster.MEDIA_TYPES[kind], content)
    turn.say(said, buttons=buttons, file=attachment)


def _own(turn: Turn, source: Source) -> bool:
    """Tell whether a place lies within the officer's scope; units of the whole province are the province's."""
    scope = turn.scope(access.POSTER)
    return scope is None or bool(scope & districts_of(source, turn.regions))


def _button(turn: Turn, source: Source) -> Button:
    name, within = _names(turn, source)
    label = f"{name}, {within}" if within and source.commune else name
    return Button(label[:1].upper() + label[1:], f"poster:{source.code}")


def _names(turn: Turn, source: Source) -> tuple[str, str]:
    today = local_day(turn.records.at, turn.settings.zone)
    return source_name(source, turn.regions, today=today, language=turn.language)


ROUTE = Route(
    "poster",
    handle,
    commands=("/poster", "/apphich"),
    choices=("poster:",),
    steps=(PLACE,),
    action=access.POSTER,
    help=mark("Posters with QR codes"),
)
