"""The command line; the only room that knows all others."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

import click

import bot
from bot.commands.context import CommandContext
from bot.errors import BotError

if TYPE_CHECKING:
    from bot.conversation.context import Route

# Each command's module is loaded when it is called, so that none waits for what only the others need.
_COMMANDS = {
    "run": "serve:run",
    "chat": "serve:chat",
    "ask": "ask:ask",
    "talk": "talk:talk",
    "counts": "counts:show_counts",
    "import-official": "official:import_official",
    "check": "check:check",
    "broadcast": "broadcast:broadcast",
    "questions": "questions:show_questions",
    "teach": "questions:teach",
    "invite": "people:invite",
    "role": "people:role",
    "desk-link": "people:desk_link",
    "forget": "people:forget",
    "report": "exports:report",
    "poster": "exports:poster",
    "zalo-oa": "zalo:zalo_oa",
    "demo-data": "simulation:demo_data",
    "migrate": "storage:migrate",
    "backup": "storage:backup",
    "restore": "storage:restore",
    "move": "storage:move",
}


class _Commands(click.Group):
    """Finds a command in its module."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """List the names in the order of the help page."""
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Load one command; None where there is none of this name."""
        if cmd_name not in _COMMANDS:
            return None
        module, _, function = _COMMANDS[cmd_name].partition(":")
        command: click.Command = getattr(import_module(f"bot.commands.{module}"), function)
        return command


def _routes() -> Sequence[Route]:
    from handlers import ROUTES

    return ROUTES


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(bot.__version__, prog_name="bot")
@click.option("--config", type=click.Path(dir_okay=False, path_type=Path), help="Settings file (default: config.yaml).")
@click.pass_context
def main(context: click.Context, config: Path | None) -> None:
    """The assistant for Sổ sức khỏe điện tử: web chat, Telegram, terminal; counts for the province."""
    context.obj = CommandContext(config, _routes)


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
