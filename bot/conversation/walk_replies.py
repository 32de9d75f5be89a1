"""A guided walk as replies: a step with its picture, its troubles, a rest, the end.

The handler of guides sends them. Every button names its guide and step, so that a press on an old message leads on from
what the citizen sees there.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

from bot.conversation.walk import Walk
from bot.i18n.catalogue import Catalogue, mark
from bot.library.articles import Library
from bot.library.guides import MAY_DIFFER, PERSON, Guide, GuideStep, screen_name
from bot.message import Button, Reply

# What the buttons of a step ask for, after `guide:<guide>:<step>:`.
DONE: Final = "done"
UNSEEN: Final = "unseen"
FAILED: Final = "failed"
STOP: Final = "stop"
TROUBLE: Final = "trouble"
ANSWER: Final = "answer"
SHARE: Final = "share"
_KINDS: Mapping[str, str] = {
    "button": mark("button “{label}”"),
    "icon": mark("symbol “{label}”"),
    "tab": mark("“{label}” in the bar at the bottom"),
    "switch": mark("switch “{label}”"),
    "tick": mark("box to tick “{label}”"),
    "list": mark("list “{label}”"),
    "field": mark("box “{label}”"),
    "text": mark("words “{label}”"),
    "code": mark("code “{label}”"),
    "scan": mark("“{label}”"),
    "card": mark("“{label}”"),
}


def walk_choice(walk: Walk, action: str = "") -> str:
    """Return the button value that does something at a step; without an action it shows the step."""
    return ":".join(filter(None, ("guide", walk.guide.id, walk.step.id, action)))


def progress(walk: Walk, catalogue: Catalogue) -> str:
    """Say how far the walk has come: "Bước 3/9"."""
    return catalogue.t("Step {number}/{total}", number=walk.number, total=walk.total)


def back_button(walk: Walk, catalogue: Catalogue) -> Button:
    """Lead back to where the walk stands."""
    if walk.resting:
        return Button(catalogue.t("Go on"), walk_choice(walk))
    return Button(catalogue.t("Back to step {number}", number=walk.number), walk_choice(walk))


def person_button(walk: Walk, catalogue: Catalogue) -> Button:
    """Lead to an officer, who is told where the citizen stands."""
    return Button(catalogue.t("Talk to an officer"), f"person:guide:{walk.guide.id}:{walk.step.id}")


def intro_reply(guide: Guide, catalogue: Catalogue) -> Reply:
    """Say before the first step whom a guide is for, how long it is, and where its names come from."""
    t, language = catalogue.t, catalogue.language
    about = t("{steps} steps in {legs} parts; rest whenever you like. Buttons may be named a little differently on "
              "your phone (checked on {day}).", steps=len(guide.steps), legs=len(guide.legs),
              day=catalogue.day(guide.checked_on))  # fmt: skip
    return Reply(f"**{guide.title.in_language(language)}**\n{guide.for_whom.in_language(language)}\n{about}")


def step_reply(walk: Walk, catalogue: Catalogue, *, lead: str = "", more: bool = False) -> Reply:
    """Show a step with its picture; `more` says it in more words, `lead` stands before it."""
    step, language = walk.step, catalogue.language
    lines = [f"**{progress(walk, catalogue)} · {walk.guide.title.in_language(language)}**"]
    lines.append(step.do.in_language(language))
    if more:
        lines.append(step.more.in_language(language))
    lines.append(catalogue.t("Result: {expect}", expect=step.expect.in_language(language)))
    if step.unsure:
        lines.append(catalogue.t("I am not sure of the words on your phone here: look for something like them."))
    return Reply(
        "\n\n".join(filter(None, (lead, *lines))),
        tuple(_step_buttons(walk, catalogue)),
        screen_name(walk.guide.id, step, language),
        describe(step, catalogue),
    )


def other_step_reply(walk: Walk, shown: Walk, catalogue: Catalogue) -> Reply:
    """Explain another step than the open one, which stays open."""
    said = step_reply(shown, catalogue, more=True)
    there = Button(catalogue.t("Go on from step {number}", number=shown.number), walk_choice(shown))
    return Reply(said.text, (back_button(walk, catalogue), there), said.image, said.alt)


def trouble_reply(walk: Walk, catalogue: Catalogue, *, failed: bool) -> Reply:
    """Ask what stops the citizen at a step."""
    t, language = catalogue.t, catalogue.language
    question = t("What does your phone show?") if failed else t("What is it like on your phone?")
    buttons = [
        Button(trouble.label.in_language(language), walk_choice(walk, f"{TROUBLE}:{index}"))
        for index, trouble in enumerate(walk.step.trouble)
    ]
    buttons += [back_button(walk, catalogue), _share_button(walk, catalogue), person_button(walk, catalogue)]
    head = f"**{progress(walk, catalogue)} · {walk.guide.title.in_language(language)}**"
    hint = t("Choose, or tell me in your own words.")
    return Reply(f"{head}\n\n{question} {hint}", tuple(buttons))


def rest_reply(walk: Walk, catalogue: Catalogue) -> Reply:
    """Say at the end of a leg what has been reached, and offer a rest."""
    t = catalogue.t
    done, legs = walk.leg, len(walk.guide.legs)
    head = t("Part {done} of {legs} is done.", done=done, legs=legs)
    left = t("You may rest here; {steps} steps remain.", steps=walk.total - walk.place)
    text = "\n".join((f"**{head}**", *_reached(walk, catalogue), "", left))
    buttons = (
        Button(t("Go on"), walk_choice(walk)),
        Button(t("Remind me to go on"), "remind:new"),
        _share_button(walk, catalogue),
        Button(t("Stop here"), walk_choice(walk, STOP)),
    )
    return Reply(text, buttons)


def stop_reply(walk: Walk, catalogue: Catalogue, menu: Iterable[Button]) -> Reply:
    """Say where the walk stopped and how to come back."""
    t = catalogue.t
    text = t("All right, we stop at step {number}/{total}. When you come back, we go on from there.",
             number=walk.number, total=walk.total)  # fmt: skip
    buttons = (
        Button(t("Go on from step {number}", number=walk.number), walk_choice(walk)),
        Button(t("Remind me to go on"), "remind:new"),
        _share_button(walk, catalogue),
        person_button(walk, catalogue),
        *menu,
    )
    return Reply(text, buttons)


def end_reply(guide: Guide, library: Library, catalogue: Catalogue, *, came_from: Walk | None = None) -> Reply:
    """Say that the guide is done, and offer what follows: the way back, the report, a reminder, another guide."""
    t, language, end = catalogue.t, catalogue.language, guide.end
    lines = ["**" + t("Finished: {guide}", guide=guide.title.in_language(language)) + "**"]
    lines += [f"✓ {leg.reached.in_language(language)}" for leg in guide.legs]
    buttons = []
    if came_from is not None:
        back = t("Back to: {guide}, step {number}", guide=came_from.guide.title.in_language(language),
                 number=came_from.number)  # fmt: skip
        buttons.append(Button(back, walk_choice(came_from)))
    if end.report is not None:
        buttons.append(Button(library.menu.items["report"].label.in_language(language), f"report:book:{end.report}"))
        buttons.append(Button(t("Remind me later"), "remind:new"))
    buttons += [Button(library.guides[other].title.in_language(language), f"guide:{other}") for other in end.guides]
    buttons += [Button(library.articles[one].title.in_language(language), f"article:{one}") for one in end.articles]
    buttons.append(Button(library.menu.items["menu"].label.in_language(language), library.menu.items["menu"].command))
    return Reply("\n".join((*lines, "", end.text.in_language(language))), tuple(buttons))


def describe(step: GuideStep, catalogue: Catalogue) -> str:
    """Say in words what the picture of a step shows; empty where it has none."""
    if step.screen is None:
        return ""
    t, language = catalogue.t, catalogue.language
    shown = []
    for element in step.screen.elements:
        said = t(_KINDS[element.kind], label=element.label.in_language(language))
        if element.note is not None:
            said += f" ({element.note.in_language(language)})"
        shown.append(t("{element}, the one to use", element=said) if element.press else said)
    words = t("Drawing of the screen “{name}”: {elements}.",
              name=step.screen.name.in_language(language), elements="; ".join(shown))  # fmt: skip
    differs = t(MAY_DIFFER)
    return f"{words} {differs[:1].upper()}{differs[1:]}." if step.unsure else words


def _step_buttons(walk: Walk, catalogue: Catalogue) -> Iterable[Button]:
    t, language = catalogue.t, catalogue.language
    for index, answer in enumerate(walk.step.answers):
        if answer.goto == PERSON:
            yield Button(answer.label.in_language(language), person_button(walk, catalogue).choice)
        else:
            yield Button(answer.label.in_language(language), walk_choice(walk, f"{ANSWER}:{index}"))
    if not walk.step.answers:
        yield Button(t("Done"), walk_choice(walk, DONE))
    yield Button(t("I do not see it"), walk_choice(walk, UNSEEN))
    yield Button(t("It shows an error"), walk_choice(walk, FAILED))
    yield Button(t("Stop"), walk_choice(walk, STOP))


def _share_button(walk: Walk, catalogue: Catalogue) -> Button:
    return Button(catalogue.t("Somebody else goes on"), walk_choice(walk, SHARE))


def _reached(walk: Walk, catalogue: Catalogue) -> list[str]:
    return [f"✓ {reached.in_language(catalogue.language)}" for reached in walk.reached]
