"""Linking two channels of one person, only at their wish, so that they are counted once."""

from __future__ import annotations

from bot.conversation.context import Route, Turn
from bot.conversation.unit_of_work import LINK_CODE_LIFETIME
from bot.i18n.catalogue import mark
from bot.message import Button, Reply

CODE, CONFIRM = "link.code", "link.confirm"


async def handle(turn: Turn) -> None:
    """Explain, give a code, take one, ask once more, link or unlink."""
    action = turn.argument if turn.choice.startswith("link:") else ""
    typed = turn.argument if turn.command else turn.text if turn.dialog.step == CODE else ""
    if action == "new":
        _give_code(turn)
    elif action == "type":
        turn.dialog.ask(CODE)
        turn.say(turn.t("Type the code that I gave you in the other channel."), buttons=[turn.menu_button("menu")])
    elif action == "yes":
        _link(turn)
    elif action == "leave":
        await _unlink(turn)
    elif typed:
        await _take_code(turn, typed)
    else:
        await _explain(turn)


async def _explain(turn: Turn) -> None:
    turn.dialog.close()
    linked = await turn.records.linked()
    lines = [
        turn.t(
            "Do you write to me on more than one channel, such as Zalo and Telegram? If you want, link them: then you "
            "are counted once. I do not link anything by myself."
        ),
    ]
    lines += [
        turn.t("Linked with {channel} since {day}.", channel=_title(turn, other.channel),
               day=turn.catalogue.day(other.at.astimezone(turn.settings.zone).date()))
        for other in linked
    ]  # fmt: skip
    buttons = [
        Button(turn.t("Give me a code"), "link:new"),
        Button(turn.t("I have a code from the other channel"), "link:type"),
    ]
    if linked:
        buttons.append(Button(turn.t("Unlink this channel"), "link:leave"))
    turn.say("\n\n".join(lines), buttons=[*buttons, turn.menu_button("menu")])


def _give_code(turn: Turn) -> None:
    turn.dialog.close()
    code = turn.records.offer_link()
    turn.say(
        turn.t(
            "Your code: **{code}**\nWithin {minutes} minutes, open the other channel and type there: /lienket {code}\n"
            "Never give the code to anybody else; it works once.",
            code=f"{code[:4]}-{code[4:]}",
            minutes=LINK_CODE_LIFETIME.seconds // 60,
        ),
        buttons=[turn.menu_button("menu")],
    )


async def _take_code(turn: Turn, typed: str) -> None:
    turn.dialog.close()
    if not await turn.records.may_guess():
        turn.say(turn.t("Too many wrong codes. Please try again in an hour."), buttons=[turn.menu_button("menu")])
        return
    offer = await turn.records.find_link(typed)
    if offer is None:
        turn.say(
            turn.t("This code is wrong, used up or expired. Ask for a new one in the other channel with /lienket."),
            buttons=[turn.menu_button("menu")],
        )
    elif offer.own:
        turn.say(
            turn.t("I gave you this code right here. Please type it in the other channel."),
            buttons=[turn.menu_button("menu")],
        )
    else:
        turn.dialog.ask(CONFIRM, key=offer.key)
        turn.say(
            turn.t(
                "Link this channel with yours on {channel}? Both then share one report of installation. "
                "**Agree only if you asked for the code yourself just now.**",
                channel=_title(turn, offer.channel),
            ),
            buttons=[Button(turn.t("Yes, both are mine"), "link:yes"), Button(turn.t("No, do not link"), "/menu")],
        )


def _link(turn: Turn) -> None:
    key = turn.dialog.data.get("key", "") if turn.dialog.step == CONFIRM else ""
    turn.dialog.close()
    if not key:
        turn.say(turn.t("This choice is no longer there. Please choose again."), buttons=[turn.menu_button("menu")])
        return
    here = turn.traits.title

    def notice(language: str) -> Reply:
        t = turn.catalogues.get(language, turn.catalogues[turn.settings.default_language]).t
        return Reply(
            t(
                "This channel is now linked with yours on {channel}. If that was not you, type /lienket to unlink it.",
                channel=t(here),
            )
        )

    turn.records.link(key, notice=notice)
    turn.say(
        turn.t("Linked: you are counted once. /lienket unlinks it at any time."), buttons=[turn.menu_button("menu")]
    )


async def _unlink(turn: Turn) -> None:
    turn.dialog.close()
    if await turn.records.linked():
        turn.records.unlink()
        turn.say(
            turn.t("Unlinked. A report of installation stays with the channel where it was made."),
            buttons=[turn.menu_button("menu")],
        )
    else:
        turn.say(turn.t("This channel is not linked with another one."), buttons=[turn.menu_button("menu")])


def _title(turn: Turn, channel: str) -> str:
    return turn.t(turn.channel_title(channel))


ROUTE = Route(
    "linking",
    handle,
    commands=("/lienket", "/link"),
    choices=("link:",),
    steps=(CODE, CONFIRM),
    help=mark("Link my channels"),
)
