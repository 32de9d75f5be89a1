"""migrate, backup, restore, move: the records as a whole."""

from __future__ import annotations

import re
from datetime import timedelta
from pathlib import Path

import click

from bot import clock
from bot.backup import backup as backups
from bot.backup.move import move as move_all
from bot.backup.restore import restore as put_back
from bot.commands.context import CommandContext, pass_context
from bot.commands.progress import progress
from bot.errors import BotError
from bot.settings import DATABASE_ADDRESS
from bot.store import applied_migrations

ACTOR = "command line"
FILE = click.Path(dir_okay=False, path_type=Path)


@click.command()
@pass_context
def migrate(context: CommandContext) -> None:
    """Bring the tables of the database up to date and say what was done; every start does the same by itself."""
    before = set(applied_migrations(context.settings.database))

    async def work() -> None:
        async with context.store():
            pass

    context.run(work())
    done = [name for name in applied_migrations(context.settings.database) if name not in before]
    print("\n".join(f"applied {name}" for name in done) or "Nothing to do: the tables are up to date.")


@click.command()
@click.argument("file", type=FILE)
@click.option("--scheduled", is_flag=True, help="Note in the audit that the bot made it by itself.")
@pass_context
def backup(context: CommandContext, file: Path, *, scheduled: bool) -> None:
    """Write all records to FILE and verify it, also while the bot runs.

    FILE is an SQLite database with a sum of every table in it; FILE.sha256 holds the sum of the file. It is readable
    by its owner only: it holds what citizens said.
    """
    actor = "schedule" if scheduled else ACTOR
    with progress("Writing and verifying the backup"):
        manifest = context.run(backups.back_up(context.settings.database, file, at=clock.now(), actor=actor))
    print(f"{file}: {manifest.rows} rows of {len(manifest.sums)} tables, schema {manifest.schema}, verified.")


@click.command()
@click.argument("file", type=FILE)
@click.option("--check", is_flag=True, help="Only say whether FILE is whole; change nothing.")
@pass_context
def restore(context: CommandContext, file: Path, *, check: bool) -> None:
    """Put the records of FILE, made by `backup`, in the place of those in the database.

    Refused when FILE is damaged or of a newer version, and while the bot runs. What was there before is kept beside;
    messages to many are paused until an officer resumes them.
    """
    if check:
        manifest = backups.verify(file)
        print(f"{file}: whole, {manifest.rows} rows, schema {manifest.schema}, made at {manifest.made_at:%F %T} UTC.")
        return
    settings = context.settings
    putting = put_back(
        settings.database, file, at=clock.now(), data=settings.data_folder, actor=ACTOR, zone=settings.zone
    )
    with progress("Restoring"):
        manifest, kept, again = context.run(putting)
    print(f"Restored {manifest.rows} rows as of {manifest.made_at:%F %T} UTC.")
    print(f"What was there before is kept in {kept}." if kept else "There were no records before.")
    if any(again):
        print(
            f"Taken back since and so not restored: {again.people} people, {again.consents} consents, "
            f"{again.reports} reports."
        )
    days = settings.privacy.revocation_days
    if clock.now() - manifest.made_at > timedelta(days=days):
        print(f"Who had themselves deleted more than {days} days ago (privacy.revocation_days) may be there again.")


@click.command()
@click.option("--from", "source", required=True, metavar="URL", help="sqlite:///PATH or postgresql://HOST/NAME.")
@click.option("--to", "target", required=True, metavar="URL", help="An empty database of either kind.")
@pass_context
def move(context: CommandContext, source: str, target: str) -> None:
    """Copy all records into an empty database of either kind, and compare both sides.

    Stop the bot first. Broken off, the same command goes on. The source stays as it is.
    """
    for option, url in (("--from", source), ("--to", target)):
        if not re.match(DATABASE_ADDRESS, url):
            raise click.BadParameter("must be sqlite:///PATH or postgresql://HOST/NAME", param_hint=option)
    if source == target:
        raise click.UsageError("--from and --to are the same database")
    path = Path(source.removeprefix("sqlite:///"))
    if source.startswith("sqlite:///") and not path.exists():
        raise BotError(f"There is no database {path}.")

    settings = context.settings
    with progress("Moving all records, then comparing both sides") as line:
        moving = move_all(
            source,
            target,
            at=clock.now(),
            actor=ACTOR,
            tell=line.say,
            data=settings.data_folder,
            zone=settings.zone,
        )
        moved = context.run(moving)
    again = f", {moved.before} of them before this run" if moved.before else ""
    print(f"{moved.rows} rows of {len(moved.sums)} tables{again}; counts and sums are the same on both sides.")
