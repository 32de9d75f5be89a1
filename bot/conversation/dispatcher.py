"""The pipeline: a message goes in, its handler runs, replies and effects come out."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import replace

import structlog

from bot import access
from bot.broadcasts import Broadcasts
from bot.clock import Clock, stamp
from bot.conversation.context import BOOKS, Context, Route
from bot.conversation.dialog import load_dialog
from bot.conversation.inbox import TOO_LONG
from bot.conversation.person_queue import Answer
from bot.conversation.precedence import Precedence
from bot.conversation.unit_of_work import Citizen, PersonState, UnitOfWork, read_session
from bot.errors import BotError, NotAllowed, StoreError
from bot.i18n.catalogue import Catalogue, language_of
from bot.library.articles import Library
from bot.library.knowledge import ContentStore
from bot.library.regions import Regions
from bot.message import FOLLOW, HUMAN_TAKEOVER, UNFOLLOW, Capabilities, ChannelState, IncomingMessage, Reply
from bot.metrics import Metrics
from bot.settings import Settings
from bot.store import Store

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
        observe: Callable[[Context], None] | None = None,
    ) -> None:
        """Answer by `routes`; `observe` sees every turn when it is over, for `python -m bot talk`."""
        self._metrics, self._observe = metrics or Metrics(), observe
        self._routes, self._channel_states, self._broadcasts = routes, channel_states, broadcasts
        self._store, self._content_store, self._regions = store, content_store, regions
        self._catalogues, self._settings, self._capabilities, self._clock = (
            dict(catalogues),
            settings,
            capabilities,
            clock,
        )
        self._precedence = Precedence(routes)
        self._attending = next((route for route in routes if route.attends), None)

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
        if not message.event and not context.choice and context.text and not context.text.startswith("/"):
            self._read(context)
        step = context.dialog.step
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
        if context.reading is not None:
            _remember_facets(context)
        if context.work.verdict:
            self._metrics.verdicts.add(context.work.verdict)
        if context.work.rated:
            self._metrics.ratings.add(context.work.rated)
        if message.group:
            self._suit_group(context)
        else:
            self._offer_open_step(context, step)
        _remember_menu(context)
        if self._observe is not None:
            self._observe(context)
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

    def _read(self, context: Context) -> None:
        """Read a typed text, once, and answer in the language that it is written in."""
        context.reading = context.knowledge.reader.read(context.text, context.dialog.topic)
        typed = language_of(context.text)
        if typed in self._catalogues:
            context.dialog.language = "" if typed == context.work.citizen.language else typed
        if context.dialog.language in self._catalogues:
            context.speak(context.dialog.language)

    async def _forward_to_officer(self, context: Context) -> bool:
        """Leave a message to the officer who talks to this person; a command calls the bot back.

        In an emergency the officer gets the message too, and the number to call comes first.
        """
        said = context.message
        if said.event or said.group:
            return False
        if said.choice or said.text.startswith("/") or self._precedence.of_keyword(said.text):
            context.work.end_quiet()
            return False
        step = self._precedence.of_step(context.dialog.step)
        if step is not None and step.action is not None:
            return False  # an officer at work
        if self._is_emergency(context):
            await self._answer_emergency(context)
        if said.withheld:
            self._warn(context)
        if self._attending is not None:
            context.summary.to_officer = True
            await self._attending.handle(context)
        return True

    @staticmethod
    def _is_emergency(context: Context) -> bool:
        return context.reading is not None and context.reading.danger.now

    async def _answer_emergency(self, context: Context) -> None:
        if self._precedence.emergency is not None:
            await self._precedence.emergency.handle(context)

    async def _run(self, context: Context) -> None:
        if context.message.event:
            if route := self._precedence.of_event(context.message.event):
                await route.handle(context)
            return
        if self._is_emergency(context):
            await self._answer_emergency(context)
            return
        if context.message.withheld:
            self._warn(context)
            if not context.text:
                return
        located = context.message.location is not None and self._precedence.understands_location(context.dialog.step)
        if context.message.attachment and not context.text and not located:
            context.say(
                context.t("I can only read text. Please write your question in a few words."),
                buttons=[context.menu_button("menu")],
            )
            return
        route = self._precedence.find(context)
        if context.message.group:
            if not route.public:
                return
            if context.text.startswith("/"):
                context.text = context.text.split()[0]  # no invitations, no sources
        if not access.may(context.work.citizen.grants, route.role):
            raise NotAllowed(context.t(access.NO_ROLE[route.role]))
        await route.handle(context)
        if not context.replies and not context.summary.to_officer:
            await self._precedence.last_resort.handle(context)

    def _offer_open_step(self, context: Context, before: str) -> None:
        """Add the way back to a step that stayed open while something else was answered."""
        step = context.dialog.step
        if not step or step != before or not context.replies or context.summary.verdict in ("", "flow"):
            return
        route = self._precedence.of_step(step)
        button = route.resume(context) if route is not None and route.resume is not None else None
        if button is not None:
            last = context.replies[-1]
            context.replies[-1] = replace(last, buttons=(button, *last.buttons))

    def _suit_group(self, context: Context) -> None:
        """Leave out of a group's answer what is between one person and the bot, and say where that is done."""
        context.dialog.close()
        link = context.capabilities.private_chat
        where = context.t("For everything personal, please write to me alone.") + (f"\n{link}" if link else "")
        replies = context.replies or [Reply("")]
        context.replies = [
            Reply(
                reply.text,
                tuple(b for b in reply.buttons if (route := self._precedence.of_choice(b.choice)) and route.public),
            )
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


def _remember_facets(context: Context) -> None:
    """Keep the book, the telephone and the person that were named, for what is asked next."""
    assert context.reading is not None  # the caller looked
    topic, facets = context.dialog.topic, context.reading.facets
    if facets.book in BOOKS:
        topic.book = facets.book
    topic.phone = facets.phone or topic.phone
    topic.whom = facets.whom or topic.whom


def _remember_menu(context: Context) -> None:
    """Keep what was offered, so that "2" can choose it; where only numbers choose, say so."""
    context.dialog.topic.offered = [
        choice.partition(":")[2]
        for reply in context.replies
        for _, choice in reply.buttons
        if choice.startswith("article:")
    ]
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
