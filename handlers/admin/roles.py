"""Who may do what: list, invite, revoke."""

from __future__ import annotations

from bot import access
from bot.access.roles import ADMIN, INVITATION_LIFETIME, INVITATION_PREFIX, OFFICER, Grant, Holder
from bot.conversation.context import Route, Turn
from bot.errors import Refused
from bot.i18n.catalogue import mark
from bot.message import Button
from bot.text.markup import escape

SHOWN = 8  # people on one page
WHOLE = "*"  # in buttons: the whole province


async def handle(turn: Turn) -> None:
    """List everybody with a role; invite by role and district; revoke after one confirmation."""
    action, _, value = turn.argument.partition(":") if turn.choice.startswith("roles:") else ("", "", "")
    number = int(value) if value.isdecimal() and len(value) < 19 else 0
    try:
        if action == "invite":
            _choose_role(turn)
        elif action == "scope":
            _choose_scope(turn)
        elif action == "make":
            _invite(turn, *value.partition(":")[::2])
        elif action == "ask":
            await _confirm(turn, number)
        elif action == "revoke":
            await _revoke(turn, number)
        elif action == "withdraw":
            _withdraw(turn)
        else:
            await _list(turn, page=number if action == "page" else 0)
    except Refused as refusal:
        turn.say(turn.t(str(refusal)), buttons=[_back(turn)])


async def _list(turn: Turn, *, page: int) -> None:
    t, at = turn.t, turn.records.at
    everybody = await turn.records.read(access.holders)
    invitations = await turn.records.read(lambda tx: access.open_invitations(tx, at=at))
    shown = everybody[page * SHOWN : (page + 1) * SHOWN]
    lines = ["**" + t("Who may do what") + "**", *(_line(turn, holder) for holder in shown)]
    buttons = [Button(t("Invite somebody"), "roles:invite")]
    buttons += [Button(t("Revoke person {number}", number=holder.id), f"roles:ask:{holder.id}") for holder in shown]
    if len(everybody) > (page + 1) * SHOWN:
        buttons.append(Button(t("Next page"), f"roles:page:{page + 1}"))
    if invitations:
        lines.append(t("Invitations that nobody has taken yet:"))
        lines += [
            "• " + t("{role}, until {moment}", role=_named(turn, one.grant),
                     moment=turn.catalogue.minute(one.expires_at, turn.settings.zone))
            for one in invitations[:SHOWN]
        ]  # fmt: skip
        buttons.append(Button(t("Withdraw all open invitations"), "roles:withdraw"))
    turn.say("\n".join(lines), buttons=[*buttons, turn.menu_button("menu")])


def _line(turn: Turn, holder: Holder) -> str:
    return turn.t(
        "Person {number}: {roles}; {channel}, since {day}.",
        number=holder.id,
        roles=_all_named(turn, holder.grants),
        channel=turn.t(turn.channel_title(holder.channel)),
        day=turn.catalogue.day(holder.since.astimezone(turn.settings.zone).date()),
    ) + (" " + turn.t("That is you.") if holder.id == turn.records.citizen.id else "")


def _choose_role(turn: Turn) -> None:
    turn.say(
        turn.t("What shall the person become? An admin may do everything in the whole province."),
        buttons=[
            Button(turn.t("Officer of a district"), "roles:scope"),
            Button(turn.t("Officer of the whole province"), f"roles:make:{OFFICER}:{WHOLE}"),
            Button(turn.t("Admin"), f"roles:make:{ADMIN}:{WHOLE}"),
            _back(turn),
        ],
    )


def _choose_scope(turn: Turn) -> None:
    titles = [(district.id, district.title(turn.language)) for district in turn.regions.districts.values()]
    places = [Button(title[:1].upper() + title[1:], f"roles:make:{OFFICER}:{key}") for key, title in titles]
    turn.say(turn.t("An officer of which district?"), buttons=[*places, _back(turn)])


def _invite(turn: Turn, role: str, scope: str) -> None:
    grant = Grant(role, "" if scope == WHOLE else scope)
    known = grant.scope in turn.regions.districts if grant.scope else scope == WHOLE
    if role not in (OFFICER, ADMIN) or not known or (role == ADMIN and grant.scope):
        turn.say(turn.t("This choice is no longer there. Please choose again."), buttons=[_back(turn)])
        return
    payload = INVITATION_PREFIX + turn.records.invite(grant)
    text = turn.t(
        "Invitation: {role}. It works once, within {days} days. Pass it on to that one person only: whoever has it "
        "first gets the role. They open a link, or send me this line:",
        role=_named(turn, grant),
        days=INVITATION_LIFETIME.days,
    )
    links = turn.settings.start_links(payload)
    turn.say("\n".join((text, escape(f"/start {payload}"), *links)), buttons=[_back(turn)])


async def _confirm(turn: Turn, number: int) -> None:
    holder = await _find(turn, number)
    turn.say(
        turn.t(
            "Really take everything from person {number} ({roles})? Messages of citizens that they have in hand go to "
            "the other officers, and their sessions at the desk end.",
            number=number,
            roles=_all_named(turn, holder.grants),
        ),
        buttons=[Button(turn.t("Yes, revoke"), f"roles:revoke:{number}"), Button(turn.t("No, keep it"), "/quyen")],
    )


async def _revoke(turn: Turn, number: int) -> None:
    await _find(turn, number)
    desk, at = turn.help_desk, turn.records.at
    turn.records.do(lambda tx, by: desk.dismiss(tx, number, at=at, actor=f"person {by}", by=by))
    turn.say(turn.t("Revoked: person {number} is a citizen again.", number=number), buttons=[_back(turn)])


async def _find(turn: Turn, number: int) -> Holder:
    everybody = await turn.records.read(access.holders)
    holder = next((holder for holder in everybody if holder.id == number), None)
    if holder is None:
        raise Refused(access.NOBODY_TO_REVOKE)
    if number == turn.records.citizen.id and access.is_last_admin(everybody, number):
        raise Refused(access.LAST_ADMIN)
    return holder


def _withdraw(turn: Turn) -> None:
    at = turn.records.at
    turn.records.do(lambda tx, by: access.withdraw_invitations(tx, at=at, actor=f"person {by}", by=by))
    turn.say(turn.t("Withdrawn: no open invitation works any more."), buttons=[_back(turn)])


def _all_named(turn: Turn, grants: tuple[Grant, ...]) -> str:
    return ", ".join(_named(turn, grant) for grant in grants)


def _named(turn: Turn, grant: Grant) -> str:
    if grant.role == ADMIN:
        return turn.t("admin")
    known = turn.regions.districts.get(grant.scope)
    place = known.title(turn.language) if known else grant.scope or turn.t("the whole province")
    return turn.t("officer, {place}", place=place)


def _back(turn: Turn) -> Button:
    return Button(turn.t("Who may do what"), "/quyen")


ROUTE = Route(
    "roles",
    handle,
    commands=("/quyen", "/roles"),
    choices=("roles:",),
    action=access.MANAGE_ROLES,
    help=mark("Who may do what"),
)
