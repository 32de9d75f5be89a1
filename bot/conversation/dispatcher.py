"""The pipeline: a message goes in, its handler runs, replies and effects come out."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import replace

import structlog

from bot import access
from bot.broadcasts import Broadcasts
from bot.clock import Clock, stamp
from bot.conversation.context import Context, Route
from bot.conversation.dialog import bare_number, load_dialog
from bot.conversation.inbox import TOO_LONG
from bot.conversation.person_queue import Answer
from bot.conversation.unit_of_work import Citizen, PersonState, UnitOfWork, read_session
from bot.errors import BotError, NotAllowed, StoreError
from bot.i18n.catalogue import Catalogue
from bot.library.articles import Library
from bot.library.knowledge import ContentStore
from bot.library.regions import Regions
from bot.message import FOLLOW, HUMAN_TAKEOVER, UNFOLLOW, Capabilities, ChannelState, IncomingMessage, Reply
from bot.metrics import Metrics
from bot.settings import Settings
from bot.store import Store
from bot.text.normalize import fold

log = structlog.get_logger()

_START = "/start"


class Dispatcher:
    """Answers messages by the routes it was given."""

    def __init__(
        self,
        *,
        routes: Sequence[Route],
        store: Store,
        content_store: ContentStore,
        regions: Regions,
        catalogues: Mapping[str, Catalogue],
        settings: Settings,
        capabilities: Callable[[str], Capabilities],
        clock: Clock,
        channel_states: Callable[[], Awaitable[Sequence[ChannelState]]] | None = None,
        broadcasts: Broadcasts | None = None,
        metrics: Metrics | None = None,
    ) -> None:
        self._metrics = metrics or Metrics()
        self._routes, self._channel_states, self._broadcasts = routes, channel_states, broadcasts
        self._store, self._content_store, self._regions = store, content_store, regions
        self._catalogues, self._settings, self._capabilities, self._clock = (
            dict(catalogues),
            settings,
            capabilities,
            clock,
        )
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
        return self._content_store.knowledge.library

    def use(self, settings: Settings) -> None:
        """Answer by other settings from the next message on."""
        self._settings = settings

    async def answer(self, message: IncomingMessage, session: PersonState | None = None) -> Answer:
        """Answer one message; an unexpected error becomes a kind sentence and one log line.

        `session` is what the records knew a moment ago; it is read here when it is not given.
        """
        now = self._clock()
        if session is None:
            session = await self._store.read_inline(lambda tx: read_session(tx, message.person))
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
        context = Context(
            message=message,
            text=message.text,
            choice=message.choice,
            catalogue=self._catalogues[language],
            catalogues=self._catalogues,
            dialog=dialog,
            work=UnitOfWork(self._store, message.person, citizen, now, self._settings.zone),
            knowledge=self._content_store.knowledge,
            regions=self._regions,
            settings=self._settings,
            capabilities=self._capabilities(message.person.channel),
            clock=self._clock,
            channel_title=lambda name: self._capabilities(name).title or name,
            channel_states=self._channel_states,
            all_broadcasts=self._broadcasts,
            content_store=self._content_store,
            routes=self._routes,
        )
        attended = bool(row and row["quiet_until"] and row["quiet_until"] > stamp(now))
        # Events may overtake each other: who has done something since neither came nor left.
        overtaken = message.event in (FOLLOW, UNFOLLOW) and bool(row and row["interacted_at"] > stamp(message.at))
        try:
            if not (overtaken or (attended and await self._forward_to_officer(context))):
                await self._run(context)
        except StoreError:
            raise  # the inbox keeps the message and tries again when the database is back
        except NotAllowed as refusal:
            context.say(str(refusal))
        except Exception as error:
            self._metrics.failures.add("handler")
            log.error("handler failed", error=type(error).__name__, exc_info=not isinstance(error, BotError))
            context.work.drop()
            context.replies = [
                Reply(context.t("Sorry, something went wrong on our side. Please try again in a few minutes."))
            ]
        if context.work.verdict:
            self._metrics.verdicts.add(context.work.verdict)
        if context.work.rated:
            self._metrics.ratings.add(context.work.rated)
        if message.group:
            self._suit_group(context)
        _remember_menu(context)
        after = context.dialog.dump()
        spoke = context.capabilities.window is not None and message.event not in (UNFOLLOW, HUMAN_TAKEOVER)
        return Answer(
            tuple(context.replies),
            lambda tx: context.work.commit(
                tx,
                source=message.source,
                dialog=after if after != before else None,
                spoke_at=stamp(message.at) if spoke else "",
            ),
            context.work.erased,
        )

    async def _forward_to_officer(self, context: Context) -> bool:
        """Leave a message to the officer who talks to this person; a command calls the bot back."""
        said = context.message
        if said.event or said.group:
            return False
        if said.choice or said.text.startswith("/") or self._by_keyword.get(_bare(said.text)):
            context.work.end_quiet()
            return False
        step = self._by_step.get(context.dialog.step)
        if step is not None and step.action is not None:
            return False  # an officer at work
        if said.withheld:
            self._warn(context)
        if self._attending is not None:
            await self._attending.handle(context)
        return True

    async def _run(self, context: Context) -> None:
        if context.message.event:
            if route := self._by_event.get(context.message.event):
                await route.handle(context)
            return
        if context.message.withheld:
            self._warn(context)
            if not context.text:
                return
        located = context.message.location is not None and context.dialog.step in self._located
        if context.message.attachment and not context.text and not located:
            context.say(
                context.t("I can only read text. Please write your question in a few words."),
                buttons=[context.menu_button("menu")],
            )
            return
        route = self._route(context)
        if context.message.group:
            if not route.public:
                return
            context.text = (
                context.text.split()[0] if context.text.startswith("/") else context.text
            )  # no invitations, no sources
        if not access.may(context.work.citizen.grants, route.role):
            raise NotAllowed(context.t(access.NO_ROLE[route.role]))
        await route.handle(context)
        if not context.replies:
            await self._last_resort.handle(context)

    def _suit_group(self, context: Context) -> None:
        """Leave out of a group's answer what is between one person and the bot, and say where that is done."""
        context.dialog.close()
        link = context.capabilities.private_chat
        where = context.t("For everything personal, please write to me alone.") + (f"\n{link}" if link else "")
        replies = context.replies or [Reply("")]
        context.replies = [
            Reply(reply.text, tuple(b for b in reply.buttons if (route := self._by_choice(b.choice)) and route.public))
            for reply in replies
        ]
        last = context.replies[-1]
        context.replies[-1] = replace(last, text=f"{last.text}\n\n{where}" if last.text else where)

    def _warn(self, context: Context) -> None:
        if TOO_LONG in context.message.withheld:
            context.say(
                context.t(
                    "Your message is too long for me to read. Please ask again in at most {limit} characters.",
                    limit=context.catalogue.number(self._settings.limits.longest_text),
                )
            )
            return
        context.say(
            context.t(
                "**Please do not send passwords, OTP codes, ID numbers or bank numbers to anyone, not to me either.** "
                "I did not keep that part of your message. If someone asked you for it, it may be a scam."
            )
        )

    def _route(self, context: Context) -> Route:
        if not context.choice and context.text and not context.text.startswith("/"):
            context.choice = context.dialog.understand(context.text, context.message.at)
        if context.choice:
            route = self._by_choice(context.choice)
            if route is not None:
                return route
            log.info("unknown choice")
            context.choice, context.text = "", ""
            return self._by_command["/menu"]
        if context.text.startswith("/"):
            command = fold(context.text.split()[0]).partition("@")[0]
            context.dialog.close()
            if command == _START and (linked := self._by_link(context.argument)) is not None:
                return linked
            return self._by_command.get(command, self._last_resort)
        step = self._by_step.get(context.dialog.step)
        if (step is None or step.role == access.CITIZEN) and (source := context.knowledge.sources.typed(context.text)):
            # Where links carry no source (Zalo), the poster asks people to type its code; an officer who is asked
            # for a place means the place.
            context.text = f"/start {source.code}"
            return self._by_command["/start"]
        keyword = self._by_keyword.get(_bare(context.text))
        if keyword is not None:
            context.dialog.close()
            return keyword
        number = bare_number(context.text)
        if number == 0:
            context.dialog.close()
            return self._by_command["/menu"]
        if number is not None and context.dialog.menu and not context.dialog.step:
            return _NO_SUCH_NUMBER
        if step is not None:
            return step
        return next((route for route in self._hearing if route.hears and route.hears(context.text)), self._last_resort)

    def _by_link(self, argument: str) -> Route | None:
        value = fold(argument)
        return next((route for route in self._routes if route.links and value.startswith(route.links)), None)

    def _by_choice(self, choice: str) -> Route | None:
        if choice.startswith("/"):
            return self._by_command.get(choice.split()[0])
        for route in self._routes:
            if choice.startswith(route.choices):
                return route
        return None


def _remember_menu(context: Context) -> None:
    """Keep what was offered, so that "2" can choose it; where only numbers choose, say so."""
    offering = [place for place, reply in enumerate(context.replies) if reply.buttons]
    if not offering:
        return
    if context.capabilities.buttons:
        offered = context.replies[offering[-1]].buttons
    else:
        offered = tuple(button for reply in context.replies for button in reply.buttons)
        last = context.replies[offering[-1]]
        hint = context.t("Type a number to choose, 0 for the main menu:")
        context.replies[offering[-1]] = replace(last, text=f"{last.text}\n\n{hint}" if last.text else hint)
    context.dialog.offer(offered, context.message.at)


def _bare(text: str) -> str:
    return text.lower().strip(" .!")


async def _refuse_number(context: Context) -> None:
    """Show the last list again when a number is not on it."""
    context.say(
        context.t(
            "There is no number {number} in the last list. Please choose again.", number=bare_number(context.text)
        ),
        buttons=context.dialog.menu,
    )


_NO_SUCH_NUMBER = Route("no such number", _refuse_number)
