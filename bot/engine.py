"""The pipeline: a message goes in, its handler runs, replies and effects come out."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

import structlog

from bot import access
from bot.access import Grant
from bot.articles import Library
from bot.clock import Clock
from bot.dialog import choose, load_dialog
from bot.errors import BotError, Refused, StoreError
from bot.i18n import Catalogue
from bot.inbox import TOO_LONG, Answer
from bot.knowledge import Shelf
from bot.message import IncomingMessage, Person, Reply, Traits
from bot.records import Citizen, Records
from bot.regions import Regions
from bot.settings import Settings
from bot.store import Row, Store, Transaction, people, roles
from bot.text import fold
from bot.turn import Route, Turn

log = structlog.get_logger()


class Engine:
    """Answers messages by the routes it was given."""

    def __init__(
        self,
        *,
        routes: Sequence[Route],
        store: Store,
        shelf: Shelf,
        regions: Regions,
        catalogues: Mapping[str, Catalogue],
        settings: Settings,
        traits: Callable[[str], Traits],
        clock: Clock,
    ) -> None:
        self._routes = routes
        self._store, self._shelf, self._regions = store, shelf, regions
        self._catalogues, self._settings, self._traits, self._clock = dict(catalogues), settings, traits, clock
        self._by_command = {command: route for route in routes for command in route.commands}
        self._by_step = {step: route for route in routes for step in route.steps}
        self._by_keyword = {keyword: route for route in routes for keyword in route.keywords}
        self._last_resort = routes[-1]

    @property
    def library(self) -> Library:
        """The content in use."""
        return self._shelf.knowledge.library

    async def answer(self, message: IncomingMessage) -> Answer:
        """Answer one message; an unexpected error becomes a kind sentence and one log line."""
        now = self._clock()
        row, grants = await self._store.read(lambda tx: _session(tx, message.person))
        language = (row["language"] if row else "") or self._settings.default_language
        if language not in self._catalogues:
            language = self._settings.default_language
        citizen = Citizen(row["id"] if row else 0, language, bool(row and row["language"]), grants)
        dialog = load_dialog(
            row["state"] if row else None,
            row["updated_at"] if row else None,
            now=now,
            minutes=self._settings.privacy.dialog_minutes,
        )
        before = dialog.dump()
        turn = Turn(
            message=message,
            text=message.text,
            choice=message.choice,
            catalogue=self._catalogues[language],
            catalogues=self._catalogues,
            dialog=dialog,
            records=Records(self._store, message.person, citizen, now, self._settings.zone),
            knowledge=self._shelf.knowledge,
            regions=self._regions,
            settings=self._settings,
            traits=self._traits(message.person.channel),
            clock=self._clock,
        )
        try:
            await self._run(turn)
        except StoreError:
            raise  # the inbox keeps the message and tries again when the database is back
        except Refused as refusal:
            turn.say(str(refusal))
        except Exception as error:
            log.error("handler failed", error=type(error).__name__, exc_info=not isinstance(error, BotError))
            turn.records.changes.clear()
            turn.replies = [
                Reply(turn.t("Sorry, something went wrong on our side. Please try again in a few minutes."))
            ]
        if message.crowd:
            self._suit_crowd(turn)
        _remember_menu(turn)
        after = turn.dialog.dump()
        return Answer(
            tuple(turn.replies),
            lambda tx: turn.records.commit(tx, source=message.source, dialog=after if after != before else None),
            turn.records.erased,
        )

    async def _run(self, turn: Turn) -> None:
        if turn.message.withheld:
            self._warn(turn)
            if not turn.text:
                return
        if turn.message.attachment and not turn.text:
            turn.say(
                turn.t("I can only read text. Please write your question in a few words."),
                buttons=[turn.menu_button("menu")],
            )
            return
        route = self._route(turn)
        if turn.message.crowd:
            if not route.public:
                return
            turn.text = turn.text.split()[0] if turn.text.startswith("/") else turn.text  # no invitations, no sources
        if not access.may(turn.records.citizen.grants, route.role):
            raise Refused(turn.t("This is for officers only. If you are one, ask an admin for an invitation."))
        await route.handle(turn)
        if not turn.replies:
            await self._last_resort.handle(turn)

    def _suit_crowd(self, turn: Turn) -> None:
        """Leave out of a group's answer what is between one person and the bot, and say where that is done."""
        turn.dialog.close()
        link = turn.traits.private_chat
        where = turn.t("For everything personal, please write to me alone.") + (f"\n{link}" if link else "")
        replies = turn.replies or [Reply("")]
        turn.replies = [
            Reply(reply.text, tuple(b for b in reply.buttons if (route := self._by_choice(b.choice)) and route.public))
            for reply in replies
        ]
        last = turn.replies[-1]
        turn.replies[-1] = replace(last, text=f"{last.text}\n\n{where}" if last.text else where)

    def _warn(self, turn: Turn) -> None:
        if TOO_LONG in turn.message.withheld:
            turn.say(
                turn.t(
                    "Your message is too long for me to read. Please ask again in at most {limit} characters.",
                    limit=turn.catalogue.number(self._settings.limits.longest_text),
                )
            )
            return
        turn.say(
            turn.t(
                "**Please do not send passwords, OTP codes, ID numbers or bank numbers to anyone, not to me either.** "
                "I did not keep that part of your message. If someone asked you for it, it may be a scam."
            )
        )

    def _route(self, turn: Turn) -> Route:
        if not turn.choice and turn.text and not turn.text.startswith("/"):
            turn.choice = choose(turn.text, turn.dialog.menu)
        if turn.choice:
            route = self._by_choice(turn.choice)
            if route is not None:
                return route
            log.info("unknown choice")
            turn.choice, turn.text = "", ""
            return self._by_command["/menu"]
        if turn.text.startswith("/"):
            command = fold(turn.text.split()[0]).partition("@")[0]
            turn.dialog.close()
            return self._by_command.get(command, self._last_resort)
        keyword = self._by_keyword.get(turn.text.lower().strip(" .!"))
        if keyword is not None:
            turn.dialog.close()
            return keyword
        return self._by_step.get(turn.dialog.step, self._last_resort)

    def _by_choice(self, choice: str) -> Route | None:
        if choice.startswith("/"):
            return self._by_command.get(choice.split()[0])
        for route in self._routes:
            if choice.startswith(route.choices):
                return route
        return None


def _session(tx: Transaction, person: Person) -> tuple[Row | None, tuple[Grant, ...]]:
    row = people.find(tx, person)
    if row is None:
        return None, ()
    return row, tuple(Grant(grant["role"], grant["scope"]) for grant in roles.of_person(tx, row["id"]))


def _remember_menu(turn: Turn) -> None:
    """Keep what was offered last, so that "2" can choose it."""
    offered = next((reply.buttons for reply in reversed(turn.replies) if reply.buttons), ())
    if offered:
        turn.dialog.menu = offered
