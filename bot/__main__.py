"""The command line; the only room that knows all others."""

from __future__ import annotations

import sys
from pathlib import Path

import click

import bot
from bot.commands.ask import ask
from bot.commands.broadcast import broadcast
from bot.commands.check import check
from bot.commands.context import Context
from bot.commands.counts import show_counts
from bot.commands.official import import_official
from bot.commands.papers import poster, report
from bot.commands.people import desk_link, forget, invite, role
from bot.commands.questions import show_questions, teach
from bot.commands.serve import chat, run
from bot.commands.simulation import demo_data
from bot.commands.storage import backup, migrate, move, restore
from bot.commands.zalo import zalo_oa
from bot.errors import BotError
from handlers import ROUTES


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(bot.__version__, prog_name="bot")
@click.option("--config", type=click.Path(dir_okay=False, path_type=Path), help="Settings file (default: config.yaml).")
@click.pass_context
def main(context: click.Context, config: Path | None) -> None:
    """The assistant for Sổ sức khỏe điện tử: web chat, Telegram, terminal; counts for the province."""
    context.obj = Context(config, ROUTES)


for command in (
    run,
    chat,
    ask,
    show_counts,
    import_official,
    check,
    broadcast,
    show_questions,
    teach,
    invite,
    role,
    desk_link,
    forget,
    report,
    poster,
    zalo_oa,
    demo_data,
    migrate,
    backup,
    restore,
    move,
):
    main.add_command(command)


def entry() -> None:
    """Run a command; an error is one sentence on standard error and exit status 1, wrong usage 2."""
    try:
        main(prog_name="python -m bot")
    except BotError as error:
        print(error, file=sys.stderr)
        raise SystemExit(1) from None
    except KeyboardInterrupt:
        raise SystemExit(130) from None


if __name__ == "__main__":
    entry()
