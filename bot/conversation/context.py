"""What a handler receives, and how a handler is declared."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass, field

from bot import access
from bot.broadcasts import Actor, Broadcasts
from bot.clock import Clock
from bot.conversation.dialog import Dialog
from bot.conversation.unit_of_work import UnitOfWork
from bot.errors import NotAllowed
from bot.helpdesk.cases import HelpDesk
from bot.i18n.catalogue import Catalogue
from bot.library import render
from bot.library.articles import Library
from bot.library.knowledge import ContentStore, Knowledge
from bot.library.regions import Regions
from bot.message import Attachment, Button, Capabilities, ChannelState, IncomingMessage, Reply
from bot.reading import Reading
from bot.reading.facets import APP, VNEID
from bot.reading.followup import GLOSSARY
from bot.settings import Settings

BOOKS = (APP, VNEID)
ANY_ACT = "*"


@dataclass(slots=True)
class TurnSummary:
    """What a turn came to, for counts and for `python -m bot talk`.

    `verdict` is answer, suggest, unknown, act or flow; empty until a handler says so. `article` is the one shown,
    `danger` whether the answer begins with the emergency number, `to_officer` whether an officer got the message.
    """

    verdict: str = ""
    article: str = ""
    danger: bool = False
    to_officer: bool = False


@dataclass(slots=True)
class Context:
    """One message being answered: what was said, by whom, and everything needed to answer."""

    message: IncomingMessage
    text: str
    choice: str
    catalogue: Catalogue
    catalogues: dict[str, Catalogue]
    dialog: Dialog
    work: UnitOfWork
    knowledge: Knowledge
    regions: Regions
    settings: Settings
    capabilities: Capabilities
    clock: Clock
    replies: list[Reply] = field(default_factory=list)
    reading: Reading | None = None  # of the typed text
    summary: TurnSummary = field(default_factory=TurnSummary)
    channel_title: Callable[[str], str] = str
    channel_states: Callable[[], Awaitable[Sequence[ChannelState]]] | None = None
    all_broadcasts: Broadcasts | None = None
    content_store: ContentStore | None = None
    routes: Sequence[Route] = ()

    @property
    def language(self) -> str:
        """The language of the answers."""
        return self.catalogue.language

    @property
    def library(self) -> Library:
        """All the bot can say."""
        return self.knowledge.library

    @property
    def act(self) -> str:
        """The act that the typed text is, or nothing."""
        return self.reading.act if self.reading is not None else ""

    @property
    def in_emergency(self) -> bool:
        """Whether an emergency was named a moment ago."""
        return bool(self.dialog.emergency_until)

    @property
    def command(self) -> str:
        """The command that was typed or pressed, such as /menu; empty for anything else."""
        said = self.choice or self.text
        return said.split(maxsplit=1)[0].lower() if said.startswith("/") else ""

    @property
    def argument(self) -> str:
        """What follows the command or the colon of a choice."""
        if self.choice and not self.choice.startswith("/"):
            return self.choice.partition(":")[2]
        return (self.choice or self.text).partition(" ")[2].strip()

    @property
    def tasks(self) -> list[Route]:
        """What this person may do beyond what every citizen may."""
        return [route for route in self.routes if route.action and route.commands and self.may(route.role)]

    @property
    def broadcasts(self) -> Broadcasts:
        """Messages to many people."""
        assert self.all_broadcasts is not None  # the service gives them to every turn
        return self.all_broadcasts

    @property
    def actor(self) -> Actor:
        """This person, as the one who does something to a broadcast."""
        return Actor(self.work.citizen.id)

    async def take_time(self) -> None:
        """Go on once the message is stored; before anything that writes to the records by itself.

        An answer that has to wait is given up here and begun anew behind the others (`bot.conversation.inbox`), and
        would otherwise have written something already.
        """
        await asyncio.sleep(0)

    @property
    def help_desk(self) -> HelpDesk:
        """The rules of talks between citizens and officers."""
        return HelpDesk(self.catalogues, self.settings, self.regions)

    def erase(self) -> str:
        """Delete everything about this person; returns a receipt (`UnitOfWork.erase`)."""
        at, day = self.work.at, self.work.day
        return self.work.erase(lambda tx, number: self.help_desk.forget(tx, number, at=at, day=day))

    def t(self, sentence: str, /, **values: object) -> str:
        """Translate a sentence of the bot."""
        return self.catalogue.t(sentence, **values)

    def say(
        self,
        text: str,
        *,
        buttons: Iterable[Button] = (),
        image: bytes = b"",
        alt: str = "",
        file: Attachment | None = None,
    ) -> None:
        """Add a reply."""
        self.replies.append(Reply(text, tuple(buttons), image, alt, file))

    def show_article(self, article_id: str) -> None:
        """Add an article as a reply, and make it what the talk is about."""
        self.about(article_id, parts=1)
        key = article_id, self.language, self.may(access.OFFICER)
        reply = self.knowledge.finished.get(key)
        if reply is None:
            article = self.library.articles[article_id]
            reply = render.article_reply(article, self.library, self.catalogue, self.settings, for_officer=key[2])
            self.knowledge.finished[key] = reply
        self.replies.append(reply)

    def about(self, article_id: str, *, parts: int) -> None:
        """Note that an article, or so many parts of it, was shown: the talk is about it now."""
        topic, article = self.dialog.topic, self.library.articles[article_id]
        if article.topic != GLOSSARY or not topic.article:  # what a word means is asked in between
            topic.article, topic.parts = article_id, parts
        if article.product in BOOKS:
            topic.book = article.product
        if not self.summary.verdict:
            self.summary.verdict, self.summary.article = "answer", article_id

    def note(self, verdict: str, article: str = "") -> None:
        """Say what this turn comes to, unless that is settled already."""
        if not self.summary.verdict:
            self.summary.verdict, self.summary.article = verdict, article

    def menu_button(self, name: str) -> Button:
        """Make a button that leads to a capability by its name in content/menu.yaml."""
        item = self.library.menu.items[name]
        return Button(item.label.in_language(self.language), item.command)

    def speak(self, language: str) -> None:
        """Answer in another language from here on."""
        self.catalogue = self.catalogues[language]

    def require(self, action: access.Action, district: str = "") -> None:
        """Raise NotAllowed with the reason unless this person may do `action` in a district or in the province."""
        if (sentence := access.refusal(self.work.citizen.grants, action, district)) is not None:
            raise NotAllowed(self.t(sentence))

    def allows(self, action: access.Action, district: str = "") -> bool:
        """Tell whether this person may do something, in a district or the whole province."""
        return access.refusal(self.work.citizen.grants, action, district) is None

    def scope(self, action: access.Action) -> frozenset[str] | None:
        """Return the districts in which this person may do something; None for the whole province."""
        return access.scopes(self.work.citizen.grants, action.role)

    def may(self, role: str) -> bool:
        """Tell whether this person holds at least a role."""
        return access.may(self.work.citizen.grants, role)


@dataclass(frozen=True, slots=True)
class Route:
    """How a message finds its handler: commands, prefixes of button values, dialog steps, whole texts
    as typed (`keywords`, marks and all: "đúng" is not "dừng"); only who may do its `action` somewhere gets there, and
    in groups only what is `public` is done. `events` are what happens without a message; `located` are steps that
    understand a location too; the one that `attends` gets what a citizen writes while an officer talks to them; one
    that `hears` gets the free texts for which that is true; `acts` are those that it answers (ANY_ACT: all others);
    `links` are beginnings of a deep link's value that get here in the place of the greeting.

    For an open step, `takes` tells whether a free text is what the step asked for (without it, every text is),
    `leave` is run when the person wants to stop, `resume` makes the button that leads back into the step.

    A route with none of these is the last resort for free text.
    """

    name: str
    handle: Callable[[Context], Awaitable[None]]
    commands: tuple[str, ...] = ()
    choices: tuple[str, ...] = ()
    steps: tuple[str, ...] = ()
    keywords: tuple[str, ...] = ()
    action: access.Action | None = None
    help: str = ""
    public: bool = False
    events: tuple[str, ...] = ()
    located: tuple[str, ...] = ()
    attends: bool = False
    links: tuple[str, ...] = ()
    answers_danger: bool = False
    acts: tuple[str, ...] = ()
    hears: Callable[[Context], bool] | None = None
    takes: Callable[[Context], bool] | None = None
    leave: Callable[[Context], Awaitable[None]] | None = None
    resume: Callable[[Context], Button | None] | None = None

    @property
    def role(self) -> str:
        """The least role that gets here."""
        return self.action.role if self.action else access.CITIZEN
