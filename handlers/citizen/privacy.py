"""My data: see it, take it along, have it deleted."""

from __future__ import annotations

from datetime import datetime

from bot.conversation.context import Context, Route
from bot.conversation.dialog import TOPIC_MINUTES
from bot.i18n.catalogue import mark
from bot.library.render import book_name
from bot.message import Attachment, Button


async def handle(context: Context) -> None:
    """Show what is kept, export it, or delete it after one confirmation."""
    if context.choice == "privacy:export":
        await _export(context)
    elif context.choice == "privacy:delete":
        context.say(
            context.t("Really delete everything I keep about you? Your report will no longer be counted."),
            buttons=[
                Button(context.t("Yes, delete everything"), "privacy:erase"),
                Button(context.t("No, keep it"), "/dulieu"),
            ],
        )
    elif context.choice == "privacy:erase":
        receipt = context.erase()
        lines = [
            context.t(
                "Done: everything I kept about you was deleted on {moment}. Older backups hold it until they "
                "expire and are deleted. I cannot delete what the Ministry of Health or VNeID keeps.",
                moment=context.catalogue.minute(context.work.at, context.settings.zone),
            )
        ]
        if receipt:
            lines.append(
                context.t(
                    "Receipt of the deletion: {receipt}. It proves the deletion and cannot be traced to you.",
                    receipt=receipt,
                )
            )
        context.say("\n".join(lines))
    else:
        await _show(context)


async def _show(context: Context) -> None:
    t = context.t
    kept = await context.work.kept()
    lines = ["**" + t("What I keep about you") + "**"]
    if not kept.known:
        lines.append(t("Nothing yet, except this message until I have answered it."))
        context.say("\n".join(lines), buttons=[context.menu_button("menu")])
        return
    lines.append("• " + t("A code for this chat on {channel}, and your language, since {day}.",
                          channel=t(context.capabilities.title), day=_day(context, kept.since)))  # fmt: skip
    if kept.report:
        place = context.regions.districts[kept.report.district].title(context.language)
        day = _day(context, kept.report.at)
        book = book_name(context.catalogue, kept.report.product)
        lines.append("• " + t("Your report: {book}, {place}, on {day}.", book=book, place=place, day=day))
    else:
        lines.append("• " + t("No report of installation."))
    lines.append("• " + t("{count} questions, without personal numbers, deleted after {days} days.",
                          count=len(kept.questions), days=context.settings.privacy.question_days))  # fmt: skip
    if title := _topic_title(context):
        lines.append("• " + t("What we talked about last: {title}. I forget it after {minutes} minutes.",
                              title=title, minutes=TOPIC_MINUTES))  # fmt: skip
    lines += [
        "• " + t("Linked with {channel} since {day}.", channel=t(context.channel_title(other.channel)),
                 day=_day(context, other.at))
        for other in kept.linked
    ]  # fmt: skip
    if kept.messages:
        own = sum(row["author"] == "citizen" for row in kept.messages)
        lines.append("• " + t("{count} messages to officers, deleted {days} days after the talk ended.",
                              count=own, days=context.settings.privacy.question_days))  # fmt: skip
    lines.append("• " + (t("You agreed to reminders.") if kept.reminders else t("You get no reminders.")))
    if kept.reminders_to_come:
        moments = "; ".join(context.catalogue.appointment(at, context.settings.zone) for at in kept.reminders_to_come)
        lines.append(
            "• "
            + t("Messages planned for you: {moments}. Type “my reminders” to see and cancel them.", moments=moments)
        )
    lines.append(t("Refusing or withdrawing changes nothing about the answers you get. "
                   "Requests about your data are answered within {time}.",
                   time=context.settings.operator.answer_within.in_language(context.language)))  # fmt: skip
    context.say(
        "\n".join(lines),
        buttons=[
            Button(t("Give me a copy"), "privacy:export"),
            Button(t("Delete everything"), "privacy:delete"),
            Button(t("Ask an officer about my data"), "person:data"),
            context.menu_button("correct-report"),
            context.menu_button("menu"),
        ],
    )


def _topic_title(context: Context) -> str:
    article = context.library.articles.get(context.dialog.topic.article)
    return article.title.in_language(context.language) if article else ""


async def _export(context: Context) -> None:
    kept = await context.work.kept()
    context.say(
        context.t("Here is everything I keep about you, as a file."),
        file=Attachment("du-lieu-cua-toi.json", "application/json", kept.as_json()),
        buttons=[Button(context.t("Delete everything"), "privacy:delete"), context.menu_button("menu")],
    )


def _day(context: Context, at: datetime) -> str:
    return context.catalogue.day(at.astimezone(context.settings.zone).date())


ROUTE = Route(
    "privacy",
    handle,
    commands=("/dulieu", "/mydata", "/privacy"),
    choices=("privacy:",),
    help=mark("My data: see, export, delete"),
)
