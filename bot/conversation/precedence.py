"""Which handler a message goes to: one table of precedence, read from top to bottom.

The dispatcher calls `Precedence.find`. Rules look at what was pressed or typed, at the reading of the text, and at the
open step; the first one that names a route decides. The same table holds on every channel and in groups.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

import structlog

from bot import access
from bot.conversation.context import ANY_ACT, Context, Route
from bot.conversation.dialog import STEP_HOURS, bare_number
from bot.reading.reader import ELLIPTIC
from bot.search import Verdict
from bot.text.normalize import fold

log = structlog.get_logger()

STOP: Final = "stop"
_START: Final = "/start"
_ABOUT_TROUBLE = frozenset(("error", "not-seen", "not-worked", "no", "resigned", "who", "yes"))
_SURE_QUESTION = 0.85  # a question that is so surely understood is no act that only sounds like one
Rule = Callable[["Precedence", Context], Route | None]


class Precedence:
    """Finds the route of a message among those that handlers declare."""

    def __init__(self, routes: Sequence[Route]) -> None:
        self._routes = routes
        self._by_command = {command: route for route in routes for command in route.commands}
        self._by_step = {step: route for route in routes for step in route.steps}
        self._by_event = {event: route for route in routes for event in route.events}
        self._by_keyword = {keyword: route for route in routes for keyword in route.keywords}
        self._by_act = {act: route for route in routes for act in route.acts}
        self._located = {step for route in routes for step in route.located}
        self._hearing = [route for route in routes if route.hears is not None]
        self._emergency = next((route for route in routes if route.answers_danger), None)
        self._last_resort = routes[-1]

    def find(self, context: Context) -> Route:
        """Return the route of a message; the last resort takes what no rule wants."""
        for rule in PRECEDENCE:
            if (route := rule(self, context)) is not None:
                return route
        return self._last_resort

    @property
    def last_resort(self) -> Route:
        """The route of free text that nothing else wants."""
        return self._last_resort

    @property
    def emergency(self) -> Route | None:
        """The route that answers emergencies."""
        return self._emergency

    def of_event(self, event: str) -> Route | None:
        """Return the route of something that happened without a message."""
        return self._by_event.get(event)

    def of_choice(self, choice: str) -> Route | None:
        """Return the route of a button's value."""
        if choice.startswith("/"):
            return self._by_command.get(choice.split()[0])
        return next((route for route in self._routes if choice.startswith(route.choices)), None)

    def of_step(self, step: str) -> Route | None:
        """Return the route that owns a step."""
        return self._by_step.get(step)

    def of_keyword(self, text: str) -> Route | None:
        """Return the route of a text that is one of the keywords."""
        return self._by_keyword.get(bare(text))

    def understands_location(self, step: str) -> bool:
        """Return True if a step takes a location."""
        return step in self._located

    # The rules, in the order of PRECEDENCE.

    def _choice(self, context: Context) -> Route | None:
        if not context.choice and context.text and not context.text.startswith("/"):
            context.choice = context.dialog.understand(context.text, context.message.at)
        if not context.choice:
            return None
        if (route := self.of_choice(context.choice)) is not None:
            return route
        log.info("unknown choice")
        context.choice, context.text = "", ""
        return self._by_command["/menu"]

    def _command(self, context: Context) -> Route | None:
        if not context.text.startswith("/"):
            return None
        command = fold(context.text.split()[0]).partition("@")[0]
        if context.dialog.step not in STEP_HOURS:  # a walk waits; what is only asked for once does not
            context.dialog.close()
        if command == _START and (linked := self._of_link(context.argument)) is not None:
            return linked
        return self._by_command.get(command, self._last_resort)

    def _of_link(self, argument: str) -> Route | None:
        value = fold(argument)
        return next((route for route in self._routes if route.links and value.startswith(route.links)), None)

    def _poster_code(self, context: Context) -> Route | None:
        # Where links carry no source (Zalo), the poster asks people to type its code; an officer who is asked for a
        # place means the place.
        step = self._by_step.get(context.dialog.step)
        if step is not None and step.role != access.CITIZEN:
            return None
        source = context.knowledge.sources.typed(context.text)
        if source is None:
            return None
        context.text = f"/start {source.code}"
        return self._by_command["/start"]

    def _keyword(self, context: Context) -> Route | None:
        route = self.of_keyword(context.text)
        if route is not None:
            context.dialog.close()
        return route

    def _zero(self, context: Context) -> Route | None:
        if bare_number(context.text) != 0:
            return None
        context.dialog.close()
        return self._by_command["/menu"]

    def _step(self, context: Context) -> Route | None:
        route = self._by_step.get(context.dialog.step)
        if route is None or (route.takes is not None and not route.takes(context)):
            return None
        return route

    def _stop(self, context: Context) -> Route | None:
        route = self._by_step.get(context.dialog.step)
        if route is None or context.act != STOP:
            return None
        return Route(f"leave {route.name}", route.leave or _leave)

    def _number(self, context: Context) -> Route | None:
        number = bare_number(context.text)
        if number is None or not context.dialog.menu or context.dialog.step or context.in_emergency:
            return None
        return NO_SUCH_NUMBER

    def _heard(self, context: Context) -> Route | None:
        return next((route for route in self._hearing if route.hears and route.hears(context)), None)

    def _emergency_goes_on(self, context: Context) -> Route | None:
        route = self._emergency
        if route is None or not context.in_emergency or (route.takes is not None and not route.takes(context)):
            return None
        return route

    def _act(self, context: Context) -> Route | None:
        if context.reading is None or not context.act:
            return None
        words = context.reading.words
        if context.act in ELLIPTIC and (context.dialog.topic.subject or words.found.verdict is Verdict.ANSWER):
            return None  # it asks about the topic
        found, meant = words.found, context.knowledge.acts.acts[context.act].article
        sure = found.verdict is Verdict.ANSWER and found.score >= _SURE_QUESTION
        if sure and not words.act_is_listed and found.ids[0] != meant:
            return None
        if context.act in _ABOUT_TROUBLE and not words.act_is_listed:
            question = context.reading.question
            if question.found.verdict is Verdict.ANSWER and question.found.ids[0] != context.dialog.topic.article:
                return None  # the trouble itself is named
        return self._by_act.get(context.act) or self._by_act.get(ANY_ACT)


PRECEDENCE: Final[tuple[Rule, ...]] = (
    Precedence._choice,
    Precedence._command,
    Precedence._poster_code,
    Precedence._keyword,
    Precedence._zero,
    Precedence._emergency_goes_on,
    Precedence._step,
    Precedence._stop,
    Precedence._number,
    Precedence._heard,
    Precedence._act,
)


def bare(text: str) -> str:
    """Return a text without the signs around it."""
    return text.lower().strip(" .!")


async def _leave(context: Context) -> None:
    """Leave the open step; nothing was kept or sent."""
    context.dialog.close()
    context.say(
        context.t("All right, I stop here. Nothing was recorded or sent. Just ask me whenever you like."),
        buttons=[context.menu_button("menu")],
    )


async def _refuse_number(context: Context) -> None:
    """Show the last list again when a number is not on it."""
    context.say(
        context.t(
            "There is no number {number} in the last list. Please choose again.", number=bare_number(context.text)
        ),
        buttons=context.dialog.menu,
    )


NO_SUCH_NUMBER: Final = Route("no such number", _refuse_number)
