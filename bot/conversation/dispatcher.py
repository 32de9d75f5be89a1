"""The pipeline: a message goes in, its handler runs, replies and effects come out."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import replace

import structlog

from bot import access
from bot.broadcasts import Broadcasts
from bot.clock import Clock, stamp
from bot.conversation.context import Route, Turn
from bot.conversation.dialog import bare_number, load_dialog
from bot.conversation.inbox import TOO_LONG
from bot.conversation.person_queue import Answer
from bot.conversation.unit_of_work import Citizen, Records, Session, read_session
from bot.errors import BotError, Refused, StoreError
from bot.i18n.catalogue import Catalogue
from bot.library.articles import Library
from bot.library.knowledge import Shelf
from bot.library.regions import Regions
from bot.message import ATTENDED, FOLLOW, UNFOLLOW, ChannelState, IncomingMessage, Reply, Traits
from bot.metrics import Metrics
from bot.settings import Settings
from bot.store import Store
from bot.text.normalize import fold

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
        channel_states: Callable[[], Awaitable[Sequence[ChannelState]]] | None = None,
        broadcasts: Broadcasts | None = None,
        metrics: Metrics | None = None,
    ) -> None:
        self._metrics = metrics or Metrics()
        self._routes, self._channel_states, self._broadcasts = routes, channel_states, broadcasts
        self._store, self._shelf, self._regions = store, shelf, regions
        self._catalogues, self._settings, self._traits, self._clock = dict(catalogues), settings, traits, clock
        self._by_command = {command: route for route in routes for command in route.commands}
        self._by_step = {step: route for route in routes for step in route.steps}
        self._by_event = {event: route for route in routes for event in route.events}
        self._located = {step for route in routes for step in route.located}
        self._by_keyword = {keyword: route for route in routes for keyword in route.keywords}
        self._attending = next((route for route in routes if route.attends), None)
        self._hearing = [route for route in routes if route.hears is not None]
        self._last_resort = routes[-1]

    @property
    def library(self) -> Library:
        """The content in use."""
        return self._shelf.knowledge.library

    def use(self, settings: Settings) -> None:
        """Answer by other settings from the next message on."""
        self._settings = settings

    async def answer(self, message: IncomingMessage, session: Session | None = None) -> Answer:
        """Answer one message; an unexpected error becomes a kind sentence and one log line.

        `session` is what the records knew a moment ago; it is read here when it is not given.
        """
        now = self._clock()
        if session is None:
            session = await self._store.glance(lambda tx: read_session(tx, message.person))
        row, grants = session.row, session.grants
        language = (row["language"] if row else "") or self._settings.default_language
        if language not in self._catalogues:
            language = self._settings.default_language
        citizen = Citizen(0, language)
        if row:
            gone = row["gone_at"] is not None
            citizen = Citizen(row["id"], language, bool(row["language"]), grants, row["source"], row["steps"], gone)
        dialog = load_dialog(
            row["state"] if row else None,
            row["updated_at"] if row else None,
            now=now,
            minutes=self._settings.privacy.dialog_minutes,
        )
        before = (row["state"] if row else "") or ""
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
            channel_title=lambda name: self._traits(name).title or name,
            channel_states=self._channel_states,
            all_broadcasts=self._broadcasts,
            shelf=self._shelf,
            routes=self._routes,
        )
        attended = bool(row and row["quiet_until"] and row["quiet_until"] > stamp(now))
        # Events may overtake each other: who has done something since neither came nor left.
        overtaken = message.event in (FOLLOW, UNFOLLOW) and bool(row and row["interacted_at"] > stamp(message.at))
        try:
            if not (overtaken or (attended and await self._left_to_human(turn))):
                await self._run(turn)
        except StoreError:
            raise  # the inbox keeps the message and tries again when the database is back
        except Refused as refusal:
            turn.say(str(refusal))
        except Exception as error:
            self._metrics.failures.add("handler")
            log.error("handler failed", error=type(error).__name__, exc_info=not isinstance(error, BotError))
            turn.records.drop()
            turn.replies = [
                Reply(turn.t("Sorry, something went wrong on our side. Please try again in a few minutes."))
            ]
        if turn.records.verdict:
            self._metrics.verdicts.add(turn.records.verdict)
        if turn.records.rated:
            self._metrics.ratings.add(turn.records.rated)
        if message.crowd:
            self._suit_crowd(turn)
        _remember_menu(turn)
        after = turn.dialog.dump()
        spoke = turn.traits.window is not None and message.event not in (UNFOLLOW, ATTENDED)
        return Answer(
            tuple(turn.replies),
            lambda tx: turn.records.commit(
                tx,
                source=message.source,
                dialog=after if after != before else None,
                spoke_at=stamp(message.at) if spoke else "",
            ),
            turn.records.erased,
        )

    async def _left_to_human(self, turn: Turn) -> bool:
        """Leave a message to the officer who talks to this person; a command calls the bot back."""
        said = turn.message
        if said.event or said.crowd:
            return False
        if said.choice or said.text.startswith("/") or self._by_keyword.get(_bare(said.text)):
            turn.records.end_quiet()
            return False
        step = self._by_step.get(turn.dialog.step)
        if step is not None and step.action is not None:
            return False  # an officer at work
        if said.withheld:
            self._warn(turn)
        if self._attending is not None:
            await self._attending.handle(turn)
        return True

    async def _run(self, turn: Turn) -> None:
        if turn.message.event:
            if route := self._by_event.get(turn.message.event):
                await route.handle(turn)
            return
        if turn.message.withheld:
            self._warn(turn)
            if not turn.text:
                return
        located = turn.message.location is not None and turn.dialog.step in self._located
        if turn.message.attachment and not turn.text and not located:
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
            raise Refused(turn.t(access.NO_ROLE[route.role]))
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
            turn.choice = turn.dialog.understand(turn.text, turn.message.at)
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
        step = self._by_step.get(turn.dialog.step)
        if (step is None or step.role == access.CITIZEN) and (source := turn.knowledge.sources.typed(turn.text)):
            # Where links carry no source (Zalo), the poster asks people to type its code; an officer who is asked
            # for a place means the place.
            turn.text = f"/start {source.code}"
            return self._by_command["/start"]
        keyword = self._by_keyword.get(_bare(turn.text))
        if keyword is not None:
            turn.dialog.close()
            return keyword
        number = bare_number(turn.text)
        if number == 0:
            turn.dialog.close()
            return self._by_command["/menu"]
        if number is not None and turn.dialog.menu and not turn.dialog.step:
            return _NO_SUCH_NUMBER
        if step is not None:
            return step
        return next((route for route in self._hearing if route.hears and route.hears(turn.text)), self._last_resort)

    def _by_choice(self, choice: str) -> Route | None:
        if choice.startswith("/"):
            return self._by_command.get(choice.split()[0])
        for route in self._routes:
            if choice.startswith(route.choices):
                return route
        return None


def _remember_menu(turn: Turn) -> None:
    """Keep what was offered, so that "2" can choose it; where only numbers choose, say so."""
    offering = [place for place, reply in enumerate(turn.replies) if reply.buttons]
    if not offering:
        return
    if turn.traits.buttons:
        offered = turn.replies[offering[-1]].buttons
    else:
        offered = tuple(button for reply in turn.replies for button in reply.buttons)
        last = turn.replies[offering[-1]]
        hint = turn.t("Type a number to choose, 0 for the main menu:")
        turn.replies[offering[-1]] = replace(last, text=f"{last.text}\n\n{hint}" if last.text else hint)
    turn.dialog.offer(offered, turn.message.at)


def _bare(text: str) -> str:
    return text.lower().strip(" .!")


async def _refuse_number(turn: Turn) -> None:
    """Show the last list again when a number is not on it."""
    turn.say(
        turn.t("There is no number {number} in the last list. Please choose again.", number=bare_number(turn.text)),
        buttons=turn.dialog.menu,
    )


_NO_SUCH_NUMBER = Route("no such number", _refuse_number)
