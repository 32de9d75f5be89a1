"""My data: see it, take it along, have it deleted."""

from __future__ import annotations

from datetime import datetime

from bot.conversation.context import Route, Turn
from bot.i18n.catalogue import mark
from bot.message import Attachment, Button


async def handle(turn: Turn) -> None:
    """Show what is kept, export it, or delete it after one confirmation."""
    if turn.choice == "privacy:export":
        await _export(turn)
    elif turn.choice == "privacy:delete":
        turn.say(
            turn.t("Really delete everything I keep about you? Your report will no longer be counted."),
            buttons=[
                Button(turn.t("Yes, delete everything"), "privacy:erase"),
                Button(turn.t("No, keep it"), "/dulieu"),
            ],
        )
    elif turn.choice == "privacy:erase":
        receipt = turn.erase()
        lines = [
            turn.t(
                "Done: everything I kept about you is deleted, in effect on {moment}. "
                "Backups lose it when they expire. "
                "Data of the Ministry of Health or VNeID is not mine to delete.",
                moment=turn.catalogue.minute(turn.records.at, turn.settings.zone),
            )
        ]
        if receipt:
            lines.append(
                turn.t("Receipt of the deletion: {receipt}. It proves it and leads to nobody.", receipt=receipt)
            )
        turn.say("\n".join(lines))
    else:
        await _show(turn)


async def _show(turn: Turn) -> None:
    t = turn.t
    kept = await turn.records.kept()
    lines = ["**" + t("What I keep about you") + "**"]
    if not kept.known:
        lines.append(t("Nothing yet but this message, until it is answered."))
        turn.say("\n".join(lines), buttons=[turn.menu_button("menu")])
        return
    lines.append("• " + t("A code for this chat on the channel {channel}, language, since {day}.",
                          channel=t(turn.traits.title), day=_day(turn, kept.since)))  # fmt: skip
    if kept.report:
        place = turn.regions.districts[kept.report.district].title(turn.language)
        day = _day(turn, kept.report.at)
        lines.append("• " + t("Your report: installed, {place}, on {day}.", place=place, day=day))
    else:
        lines.append("• " + t("No report of installation."))
    lines.append("• " + t("{count} questions, without personal numbers, deleted after {days} days.",
                          count=len(kept.questions), days=turn.settings.privacy.question_days))  # fmt: skip
    lines += [
        "• " + t("Linked with {channel} since {day}.", channel=t(turn.channel_title(other.channel)),
                 day=_day(turn, other.at))
        for other in kept.linked
    ]  # fmt: skip
    if kept.messages:
        own = sum(row["author"] == "citizen" for row in kept.messages)
        lines.append("• " + t("{count} messages to officers, deleted {days} days after the talk ended.",
                              count=own, days=turn.settings.privacy.question_days))  # fmt: skip
    lines.append("• " + (t("You agreed to reminders.") if kept.reminders else t("You get no reminders.")))
    if kept.reminders_to_come:
        moments = "; ".join(turn.catalogue.appointment(at, turn.settings.zone) for at in kept.reminders_to_come)
        lines.append("• " + t("Messages planned for you: {moments}. /nhactoi lists and cancels them.", moments=moments))
    lines.append(t("Refusing or withdrawing changes nothing about the answers you get. "
                   "Requests about your data are answered within {time}.",
                   time=turn.settings.operator.answer_within.in_language(turn.language)))  # fmt: skip
    turn.say(
        "\n".join(lines),
        buttons=[
            Button(t("Give me a copy"), "privacy:export"),
            Button(t("Delete everything"), "privacy:delete"),
            Button(t("Ask an officer about my data"), "person:data"),
            turn.menu_button("correct-report"),
            turn.menu_button("menu"),
        ],
    )


async def _export(turn: Turn) -> None:
    kept = await turn.records.kept()
    turn.say(
        turn.t("Here is everything I keep about you, as a file."),
        file=Attachment("du-lieu-cua-toi.json", "application/json", kept.as_json()),
        buttons=[Button(turn.t("Delete everything"), "privacy:delete"), turn.menu_button("menu")],
    )


def _day(turn: Turn, at: datetime) -> str:
    return turn.catalogue.day(at.astimezone(turn.settings.zone).date())


ROUTE = Route(
    "privacy",
    handle,
    commands=("/dulieu", "/mydata", "/privacy"),
    choices=("privacy:",),
    help=mark("My data: see, export, delete"),
)
