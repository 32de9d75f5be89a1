"""Linking two channels of one person, only at their wish, so that they are counted once."""

from __future__ import annotations

from bot.conversation.context import Context, Route
from bot.conversation.unit_of_work import LINK_CODE_LIFETIME
from bot.i18n.catalogue import mark
from bot.message import Button, Reply

CODE, CONFIRM = "link.code", "link.confirm"


async def handle(context: Context) -> None:
    """Explain, give a code, take one, ask once more, link or unlink."""
    action = context.argument if context.choice.startswith("link:") else ""
    typed = context.argument if context.command else context.text if context.dialog.step == CODE else ""
    if action == "new":
        _give_code(context)
    elif action == "type":
        context.dialog.ask(CODE)
        context.say(
            context.t("Type the code that I gave you in the other channel."), buttons=[context.menu_button("menu")]
        )
    elif action == "yes":
        _link(context)
    elif action == "leave":
        await _unlink(context)
    elif typed:
        await _take_code(context, typed)
    else:
        await _explain(context)


async def _explain(context: Context) -> None:
    context.dialog.close()
    linked = await context.work.linked()
    lines = [
        context.t(
            "Do you write to me on more than one channel, such as Zalo and Telegram? If you want, link them: then you "
            "are counted once. I do not link anything by myself."
        ),
    ]
    lines += [
        context.t("Linked with {channel} since {day}.", channel=_title(context, other.channel),
               day=context.catalogue.day(other.at.astimezone(context.settings.zone).date()))
        for other in linked
    ]  # fmt: skip
    buttons = [
        Button(context.t("Give me a code"), "link:new"),
        Button(context.t("I have a code from the other channel"), "link:type"),
    ]
    if linked:
        buttons.append(Button(context.t("Unlink this channel"), "link:leave"))
    context.say("\n\n".join(lines), buttons=[*buttons, context.menu_button("menu")])


def _give_code(context: Context) -> None:
    context.dialog.close()
    code = context.work.offer_link()
    context.say(
        context.t(
            "Your code: **{code}**\nWithin {minutes} minutes, open the other channel, type “link my channels”, "
            "choose “{button}” and type the code.\nNever give the code to anybody else; it works once.",
            code=f"{code[:4]}-{code[4:]}",
            button=context.t("I have a code from the other channel"),
            minutes=LINK_CODE_LIFETIME.seconds // 60,
        ),
        buttons=[context.menu_button("menu")],
    )


async def _take_code(context: Context, typed: str) -> None:
    context.dialog.close()
    if not await context.work.may_guess():
        context.say(
            context.t("Too many wrong codes. Please try again in an hour."), buttons=[context.menu_button("menu")]
        )
        return
    offer = await context.work.find_link(typed)
    if offer is None:
        context.say(
            context.t("This code is wrong, used up or expired. Please get a new one in the other channel."),
            buttons=[context.menu_button("menu")],
        )
    elif offer.own:
        context.say(
            context.t("I gave you this code right here. Please type it in the other channel."),
            buttons=[context.menu_button("menu")],
        )
    else:
        context.dialog.ask(CONFIRM, key=offer.key)
        context.say(
            context.t(
                "Link this channel with yours on {channel}? Both then share one report of installation. "
                "**Agree only if you asked for the code yourself just now.**",
                channel=_title(context, offer.channel),
            ),
            buttons=[
                Button(context.t("Yes, both are mine"), "link:yes"),
                Button(context.t("No, do not link"), "/menu"),
            ],
        )


def _link(context: Context) -> None:
    key = context.dialog.data.get("key", "") if context.dialog.step == CONFIRM else ""
    context.dialog.close()
    if not key:
        context.say(
            context.t("This choice is no longer there. Please choose again."), buttons=[context.menu_button("menu")]
        )
        return
    here = context.capabilities.title

    def notice(language: str) -> Reply:
        t = context.catalogues.get(language, context.catalogues[context.settings.default_language]).t
        return Reply(
            t(
                "This channel is now linked with yours on {channel}. If that was not you, type “link my "
                "channels” to unlink it.",
                channel=t(here),
            )
        )

    context.work.link(key, notice=notice)
    context.say(
        context.t("Linked: you are counted once. Type “link my channels” to unlink them at any time."),
        buttons=[context.menu_button("menu")],
    )


async def _unlink(context: Context) -> None:
    context.dialog.close()
    if await context.work.linked():
        context.work.unlink()
        context.say(
            context.t("Unlinked. A report of installation stays with the channel where it was made."),
            buttons=[context.menu_button("menu")],
        )
    else:
        context.say(context.t("This channel is not linked with another one."), buttons=[context.menu_button("menu")])


def _title(context: Context, channel: str) -> str:
    return context.t(context.channel_title(channel))


ROUTE = Route(
    "linking",
    handle,
    commands=("/lienket", "/link"),
    choices=("link:",),
    steps=(CODE, CONFIRM),
    keywords=("liên kết kênh", "lien ket kenh", "link my channels"),
    help=mark("Link my channels"),
)
