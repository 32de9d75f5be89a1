"""How the bot introduces itself on Telegram: descriptions, and the commands each reader may use."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import structlog
from telegram import (
    Bot,
    BotCommand,
    BotCommandScope,
    BotCommandScopeAllGroupChats,
    BotCommandScopeAllPrivateChats,
    BotCommandScopeChat,
)
from telegram.error import BadRequest, Forbidden

from bot.channels.telegram.updates import NAME
from bot.store import Store, Transaction, people

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Command:
    """A command as the menu shows it, without its slash."""

    name: str
    help: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """The bot in one language; `commands` by the role that may use them, lowest first."""

    language: str
    description: str
    short_description: str
    commands: Mapping[str, Sequence[Command]]
    in_groups: Sequence[Command]

    def commands_for(self, role: str) -> tuple[Command, ...]:
        """List the commands of a role and of those below it."""
        found: list[Command] = []
        for name, commands in self.commands.items():
            found.extend(commands)
            if name == role:
                break
        return tuple(found)


class Introduction:
    """Keeps what Telegram shows of the bot up to date; the first profile is for everybody without a better one."""

    def __init__(self, bot: Bot, profiles: Sequence[Profile], store: Store) -> None:
        self._bot, self._profiles, self._store = bot, profiles, store
        self._told = False
        self._known: dict[str, str] = {}  # address → role whose commands are shown there

    async def refresh(self) -> None:
        """Tell Telegram what it does not know yet; raises TelegramError, StoreError."""
        if not self._told:
            await self._tell_everybody()
            self._told = True
        await self._tell_officers()

    async def _tell_everybody(self) -> None:
        for language, profile in self._languages():
            await self._bot.set_my_description(profile.description, language)
            await self._bot.set_my_short_description(profile.short_description, language)
            lowest = next(iter(profile.commands))
            await self._set(profile.commands_for(lowest), BotCommandScopeAllPrivateChats(), language)
            await self._set(profile.in_groups, BotCommandScopeAllGroupChats(), language)

    async def _tell_officers(self) -> None:
        """Show officers and admins their own commands, and take them back from those who are none any more."""
        ranks = list(self._profiles[0].commands)
        roles: dict[str, str] = {}
        for address, held in await self._store.read(_officers):
            if held in ranks and ranks.index(held) > ranks.index(roles.get(address, ranks[0])):
                roles[address] = held
        for address in self._known.keys() | roles.keys():
            role = roles.get(address)
            if role == self._known.get(address):
                continue
            scope = BotCommandScopeChat(int(address))
            try:
                for language, profile in self._languages():
                    if role is None:
                        await self._bot.delete_my_commands(scope, language)
                    else:
                        await self._set(profile.commands_for(role), scope, language)
            except (BadRequest, Forbidden):
                log.info("commands not shown to an officer", channel=NAME)  # blocked the bot, most likely
            if role is None:
                del self._known[address]
            else:
                self._known[address] = role

    def _languages(self) -> Iterator[tuple[str | None, Profile]]:
        """List language codes with what they show; None is for everybody without a better one."""
        yield None, self._profiles[0]
        for profile in self._profiles:
            yield profile.language, profile

    async def _set(self, commands: Sequence[Command], scope: BotCommandScope, language: str | None) -> None:
        listed = [BotCommand(command.name, command.help) for command in commands]
        await self._bot.set_my_commands(listed, scope, language)


def _officers(tx: Transaction) -> list[tuple[str, str]]:
    return [(row["address"], row["role"]) for row in people.with_roles(tx, NAME)]
