"""Posters with QR codes: for a district, a commune, or a department, school or enterprise."""

from __future__ import annotations

import asyncio
from functools import partial

from bot import access
from bot.clock import local_day
from bot.conversation.context import Context, Route
from bot.errors import NotAllowed
from bot.exports import poster
from bot.i18n.catalogue import mark
from bot.library.sources import Source, districts_of, find_sources, source_name
from bot.message import Attachment, Button

PLACE = "poster.place"
MOST_OFFERED = 10


async def handle(context: Context) -> None:
    """Find out where the poster will hang, then make it."""
    if context.choice.startswith("poster:"):
        code, _, form = context.argument.partition(":")
        source = context.knowledge.sources.by_code.get(code)
        if source is None or not _own(context, source):
            context.say(context.t("This choice is no longer there. Please choose again."))
            _ask(context)
            return
        await _make(context, source, form if form in poster.FORMS else "a4")
        return
    wanted = context.argument if context.command else context.text
    if not wanted:
        _ask(context)
        return
    found = [s for s in find_sources(wanted, context.knowledge.sources, context.regions) if _own(context, s)]
    if len(found) == 1:
        await _make(context, found[0], "a4")
    elif found:
        context.say(context.t("Which of these?"), buttons=[_button(context, source) for source in found[:MOST_OFFERED]])
    else:
        context.say(context.t("I do not know this place or unit, or it lies outside your district."))
        _ask(context)


def _ask(context: Context) -> None:
    context.dialog.ask(PLACE)
    sources = context.knowledge.sources
    own = [s for s in sources.by_code.values() if not s.commune and _own(context, s)]
    context.say(
        context.t(
            "Where will the poster hang? Choose, or type the name of a commune, school, enterprise or department, "
            "or its code."
        ),
        buttons=[_button(context, source) for source in own[:MOST_OFFERED]],
    )


async def _make(context: Context, source: Source, form: str) -> None:
    context.dialog.close()
    size, kind = poster.FORMS[form]
    text = await asyncio.to_thread(poster.load_poster_text, context.settings.content)
    make = partial(
        poster.make_poster,
        source,
        text,
        regions=context.regions,
        library=context.library,
        settings=context.settings,
        today=local_day(context.work.at, context.settings.zone),
        size=size,
        form=kind,
    )
    try:
        content = await asyncio.to_thread(make)
    except poster.NoEntryPoint:
        raise NotAllowed(
            context.t(
                "No poster yet: no channel is set up that its codes could lead to. Please ask whoever runs the "
                "server to set the public address of Zalo, of the website or of Telegram."
            )
        ) from None
    name = ", ".join(filter(None, _names(context, source)))
    said = context.t("The poster for {place}, code {code}.", place=name, code=source.code)
    others = {
        "a4": context.t("A4 for print (PDF)"),
        "a5": context.t("A5 for print (PDF)"),
        "png": context.t("Picture for phones (PNG)"),
    }
    buttons = [Button(label, f"poster:{source.code}:{other}") for other, label in others.items() if other != form]
    buttons += [Button(context.t("Another place"), "/poster"), context.menu_button("menu")]
    if kind == "png":
        context.say(said, buttons=buttons, image=content, alt=said)
        return
    attachment = Attachment(poster.file_name(source, size=size, form=kind), poster.MEDIA_TYPES[kind], content)
    context.say(said, buttons=buttons, file=attachment)


def _own(context: Context, source: Source) -> bool:
    """Tell whether a place lies within the officer's scope; units of the whole province are the province's."""
    scope = context.scope(access.POSTER)
    return scope is None or bool(scope & districts_of(source, context.regions))


def _button(context: Context, source: Source) -> Button:
    name, within = _names(context, source)
    label = f"{name}, {within}" if within and source.commune else name
    return Button(label[:1].upper() + label[1:], f"poster:{source.code}")


def _names(context: Context, source: Source) -> tuple[str, str]:
    today = local_day(context.work.at, context.settings.zone)
    return source_name(source, context.regions, today=today, language=context.language)


ROUTE = Route(
    "poster",
    handle,
    commands=("/poster", "/apphich"),
    choices=("poster:",),
    steps=(PLACE,),
    action=access.POSTER,
    help=mark("Posters with QR codes"),
)
