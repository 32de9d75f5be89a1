"""questions: what citizens asked and how the bot fared. teach: a question becomes a phrasing of an article."""

from __future__ import annotations

from datetime import timedelta

import click

from bot import access, clock
from bot.clock import stamp
from bot.commands.context import CommandContext, pass_context
from bot.conversation.unit_of_work import REASONS, Complaint, complaints
from bot.i18n.catalogue import looks_english
from bot.library.teach import teach as teach_article
from bot.store import Row, Transaction, questions


@click.command("questions")
@click.option("--unanswered", "view", flag_value="unanswered", default="unanswered", help="No answer, or a bad one.")
@click.option("--asked", "view", flag_value="asked", help="Which articles citizens asked for, and whether they helped.")
@click.option("--unhelpful", "view", flag_value="unhelpful", help="Articles that did not help, with the reasons given.")
@click.option("--days", type=click.IntRange(1, 36_500), default=30, show_default=True, help="How far to look back.")
@click.option("--limit", type=click.IntRange(1, 1000), default=50, show_default=True, help="How many lines at most.")
@pass_context
def show_questions(context: CommandContext, view: str, days: int, limit: int) -> None:
    """Show what citizens asked, grouped, most frequent first; without address and personal numbers."""
    since = stamp(clock.now() - timedelta(days=days))

    if view == "unhelpful":
        _show_unhelpful(context, since, limit)
        return

    def work(tx: Transaction) -> list[Row]:
        query = questions.frequent if view == "asked" else questions.unanswered
        return query(tx, since=since, limit=limit)

    async def read() -> list[Row]:
        async with context.store() as store:
            return await store.read(work)

    rows = context.run(read())
    if view == "asked":
        print("times\thelped\tnot helped\tarticle")
        for row in rows:
            print(f"{row['times']}\t{row['helped']}\t{row['unhelped']}\t{row['article']}")
        return
    print("times\tnot helped\tverdict\tarticle\tquestion")
    for row in rows:
        text = " ".join(row["text"].split())
        print(f"{row['times']}\t{row['unhelped']}\t{row['verdict']}\t{row['article'] or '-'}\t{text}")


def _show_unhelpful(context: CommandContext, since: str, limit: int) -> None:
    async def read() -> list[Complaint]:
        async with context.store() as store:
            return await store.read(lambda tx: complaints(tx, since=since))

    print("\t".join(["times", *REASONS, "no reason", "article"]))
    for complaint in context.run(read())[:limit]:
        counted = [complaint.reasons.get(reason, 0) for reason in (*REASONS, "")]
        print("\t".join(map(str, [complaint.times, *counted, complaint.article])))


@click.command()
@click.argument("article")
@click.argument("question")
@click.option("--language", type=click.Choice(["vi", "en"]), help="Language of the question (default: guessed).")
@pass_context
def teach(context: CommandContext, article: str, question: str, language: str | None) -> None:
    """Add QUESTION to the phrasings of ARTICLE; a running bot learns it by itself."""
    spoken = language or ("en" if looks_english(question) else "vi")
    place = teach_article(context.settings.content, article, question, language=spoken)

    async def note() -> None:
        async with context.store() as store:
            await store.write(
                lambda tx: access.write_audit(tx, actor="command line", action="teach", detail=article, at=clock.now())
            )

    context.run(note())
    print(f"{place}: added.")
