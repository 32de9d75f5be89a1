"""Who may do what: list, invite, revoke."""

from __future__ import annotations

from bot import access
from bot.access.names import OfficerNames, check_name, officer_names
from bot.access.roles import ADMIN, INVITATION_LIFETIME, INVITATION_PREFIX, OFFICER, Grant, Holder, Invitation
from bot.conversation.context import Context, Route
from bot.errors import NotAllowed
from bot.i18n.catalogue import mark
from bot.message import Button
from bot.text.markup import escape

NAME = "roles.name"
SHOWN = 8  # people on one page
WHOLE = "*"  # in buttons: the whole province


async def handle(context: Context) -> None:
    """List everybody with a role; invite by role, district and name; revoke after one confirmation."""
    typed = context.dialog.step == NAME and context.text and not context.choice and not context.text.startswith("/")
    if typed:
        _invite_by_name(context)
        return
    context.dialog.close()
    action, _, value = context.argument.partition(":") if context.choice.startswith("roles:") else ("", "", "")
    number = int(value) if value.isdecimal() and len(value) < 19 else 0
    try:
        if action == "invite":
            _choose_role(context)
        elif action == "scope":
            _choose_scope(context)
        elif action == "make":
            _ask_name(context, *value.partition(":")[::2])
        elif action == "nameless":
            _invite(context, *value.partition(":")[::2])
        elif action == "ask":
            await _confirm(context, number)
        elif action == "revoke":
            await _revoke(context, number)
        elif action == "withdraw":
            _withdraw(context)
        else:
            await _list(context, page=number if action == "page" else 0)
    except NotAllowed as refusal:
        context.say(context.t(str(refusal)), buttons=[_back(context)])


async def _list(context: Context, *, page: int) -> None:
    t, at = context.t, context.work.at
    everybody = await context.work.read(access.holders)
    invitations = await context.work.read(lambda tx: access.open_invitations(tx, at=at))
    names = await context.work.read(officer_names)
    shown = everybody[page * SHOWN : (page + 1) * SHOWN]
    lines = ["**" + t("Who may do what") + "**", *(_line(context, holder, names) for holder in shown)]
    buttons = [Button(t("Invite somebody"), "roles:invite")]
    buttons += [
        Button(t("Revoke: {person}", person=names.of(holder.id, context.catalogue)), f"roles:ask:{holder.id}")
        for holder in shown
    ]
    if len(everybody) > (page + 1) * SHOWN:
        buttons.append(Button(t("Next page"), f"roles:page:{page + 1}"))
    if invitations:
        lines.append(t("Invitations that nobody has taken yet:"))
        lines += [_open_invitation(context, one) for one in invitations[:SHOWN]]
        buttons.append(Button(t("Withdraw all open invitations"), "roles:withdraw"))
    context.say("\n".join(lines), buttons=[*buttons, context.menu_button("menu")])


def _open_invitation(context: Context, one: Invitation) -> str:
    moment = context.catalogue.minute(one.expires_at, context.settings.zone)
    line = context.t("{role}, until {moment}", role=_named(context, one.grant), moment=moment)
    return f"• {escape(one.name)}: {line}" if one.name else f"• {line}"


def _line(context: Context, holder: Holder, names: OfficerNames) -> str:
    return context.t(
        "{person}: {roles}; {channel}, since {day}.",
        person=escape(names.of(holder.id, context.catalogue)),
        roles=_all_named(context, holder.grants),
        channel=context.t(context.channel_title(holder.channel)),
        day=context.catalogue.day(holder.since.astimezone(context.settings.zone).date()),
    ) + (" " + context.t("That is you.") if holder.id == context.work.citizen.id else "")


def _choose_role(context: Context) -> None:
    context.say(
        context.t("Which role should the person have? An admin may do everything in the whole province."),
        buttons=[
            Button(context.t("Officer of a district"), "roles:scope"),
            Button(context.t("Officer of the whole province"), f"roles:make:{OFFICER}:{WHOLE}"),
            Button(context.t("Admin"), f"roles:make:{ADMIN}:{WHOLE}"),
            _back(context),
        ],
    )


def _choose_scope(context: Context) -> None:
    titles = [(district.id, district.title(context.language)) for district in context.regions.districts.values()]
    places = [Button(title[:1].upper() + title[1:], f"roles:make:{OFFICER}:{key}") for key, title in titles]
    context.say(context.t("An officer of which district?"), buttons=[*places, _back(context)])


def _grant(context: Context, role: str, scope: str) -> Grant:
    """Return the role that buttons name. Raise NotAllowed if there is none such."""
    grant = Grant(role, "" if scope == WHOLE else scope)
    known = grant.scope in context.regions.districts if grant.scope else scope == WHOLE
    if role not in (OFFICER, ADMIN) or not known or (role == ADMIN and grant.scope):
        raise NotAllowed(mark("This choice is no longer there. Please choose again."))
    return grant


def _ask_name(context: Context, role: str, scope: str) -> None:
    _grant(context, role, scope)
    context.dialog.ask(NAME, role=role, scope=scope)
    context.say(
        context.t("What is the person called? Type the name that colleagues will read, or go on without one."),
        buttons=[Button(context.t("Without a name"), f"roles:nameless:{role}:{scope}"), _back(context)],
    )


def _invite_by_name(context: Context) -> None:
    try:
        _invite(context, context.dialog.data["role"], context.dialog.data["scope"], check_name(context.text))
        context.dialog.close()
    except NotAllowed as refusal:  # the question stays open until what was typed is a name
        context.say(context.t(str(refusal)), buttons=[_back(context)])


def _invite(context: Context, role: str, scope: str, name: str = "") -> None:
    grant = _grant(context, role, scope)
    payload = INVITATION_PREFIX + context.work.invite(grant, name=name)
    text = context.t(
        "Invitation: {role}. It works once, within {days} days. Pass it on to that one person only: whoever has it "
        "first gets the role. They open a link, or send me this line:",
        role=_named(context, grant),
        days=INVITATION_LIFETIME.days,
    )
    links = context.settings.start_links(payload)
    context.say("\n".join((text, escape(f"/start {payload}"), *links)), buttons=[_back(context)])


async def _confirm(context: Context, number: int) -> None:
    holder = await _find(context, number)
    context.say(
        context.t(
            "Really take everything from {person} ({roles})? Messages of citizens that they have in hand go to the "
            "other officers, and their sessions at the desk end.",
            person=escape((await context.work.read(officer_names)).of(number, context.catalogue)),
            roles=_all_named(context, holder.grants),
        ),
        buttons=[
            Button(context.t("Yes, revoke"), f"roles:revoke:{number}"),
            Button(context.t("No, keep it"), "/quyen"),
        ],
    )


async def _revoke(context: Context, number: int) -> None:
    await _find(context, number)
    desk, at = context.help_desk, context.work.at
    person = escape((await context.work.read(officer_names)).of(number, context.catalogue))
    context.work.do(lambda tx, by: desk.dismiss(tx, number, at=at, actor=f"person {by}", by=by))
    context.say(context.t("Revoked: {person} is a citizen again.", person=person), buttons=[_back(context)])


async def _find(context: Context, number: int) -> Holder:
    everybody = await context.work.read(access.holders)
    holder = next((holder for holder in everybody if holder.id == number), None)
    if holder is None:
        raise NotAllowed(access.NOBODY_TO_REVOKE)
    if number == context.work.citizen.id and access.is_last_admin(everybody, number):
        raise NotAllowed(access.LAST_ADMIN)
    return holder


def _withdraw(context: Context) -> None:
    at = context.work.at
    context.work.do(lambda tx, by: access.withdraw_invitations(tx, at=at, actor=f"person {by}", by=by))
    context.say(context.t("Withdrawn: no open invitation works any more."), buttons=[_back(context)])


def _all_named(context: Context, grants: tuple[Grant, ...]) -> str:
    return ", ".join(_named(context, grant) for grant in grants)


def _named(context: Context, grant: Grant) -> str:
    if grant.role == ADMIN:
        return context.t("admin")
    known = context.regions.districts.get(grant.scope)
    place = known.title(context.language) if known else grant.scope or context.t("the whole province")
    return context.t("officer, {place}", place=place)


def _back(context: Context) -> Button:
    return Button(context.t("Who may do what"), "/quyen")


ROUTE = Route(
    "roles",
    handle,
    commands=("/quyen", "/roles"),
    choices=("roles:",),
    steps=(NAME,),
    action=access.MANAGE_ROLES,
    help=mark("Who may do what"),
)
