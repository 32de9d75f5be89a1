"""invite, role, forget: who may do what, and whose data is deleted."""

from __future__ import annotations

import click

from bot import access, clock
from bot.access import desk_sessions
from bot.access.names import check_name, officer_names
from bot.access.roles import ADMIN, OFFICER
from bot.backup.revocations import Journal
from bot.commands.context import CommandContext, pass_context
from bot.errors import BotError, NotAllowed
from bot.helpdesk.cases import HelpDesk
from bot.i18n.catalogue import load_catalogues
from bot.library.regions import load_regions
from bot.store import Transaction, messages, people, roles

ACTOR = "command line"
NUMBER = click.IntRange(1, 2**63 - 1)  # what a database can hold


@click.command()
@click.option("--role", type=click.Choice([OFFICER, ADMIN]), required=True, help="What the code makes of its user.")
@click.option(
    "--scope", default="", help='District of an officer, by id or name: vinh-tuong, "Yên Lạc"; empty for all of them.'
)
@click.option("--name", default="", help="What the person is called; they and admins can change it.")
@pass_context
def invite(context: CommandContext, role: str, scope: str, name: str) -> None:
    """Make a one-time code that gives its first user a role; it expires after 7 days."""
    scope = _district(context, scope)
    try:
        name = check_name(name) if name else ""
    except NotAllowed as refusal:
        raise BotError(f"--name: {refusal}") from None
    if scope and role == ADMIN:
        raise BotError("--scope: an admin is an admin of the whole province.")

    async def work() -> str:
        async with context.store() as store:
            return await access.invite(store, role=role, scope=scope, name=name, at=clock.now(), actor=ACTOR)

    payload = f"{access.INVITATION_PREFIX}{context.run(work())}"
    print(f"/start {payload}")
    print(f"Send this line to the bot, or open a link, within {access.INVITATION_LIFETIME.days} days; it works once.")
    for door, link in zip(("Web chat", "Telegram"), context.settings.start_links(payload), strict=False):
        print(f"{door}: {link}")


@click.command("desk-link")
@click.option("--person", type=NUMBER, required=True, help="An officer's or admin's number, as in `role list`.")
@pass_context
def desk_link(context: CommandContext, person: int) -> None:
    """Print a link that signs an officer or admin in to the desk once, within ten minutes."""

    key = desk_sessions.new_key()

    async def work() -> bool:
        async with context.store() as store:
            return await store.write(lambda tx: desk_sessions.offer_link(tx, person, key, at=clock.now(), actor=ACTOR))

    if not context.run(work()):
        raise BotError(f"Person {person} is no officer and no admin; `role list` shows who is.")
    print(context.settings.web.desk_link(key))


@click.group()
def role() -> None:
    """List or revoke roles."""


@role.command("list")
@pass_context
def list_roles(context: CommandContext) -> None:
    """Show every role with the person's number, channel, scope and name."""

    async def work() -> list[str]:
        async with context.store() as store:
            rows, names = await store.read(lambda tx: (roles.all_grants(tx), officer_names(tx)))
            return [
                "\t".join(
                    (
                        str(row["person_id"]),
                        row["channel"],
                        row["role"],
                        row["scope"] or "*",
                        row["granted_at"],
                        names.named.get(row["person_id"], "-"),
                    )
                )
                for row in rows
            ]

    print("\n".join(["person\tchannel\trole\tscope\tsince\tname", *context.run(work())]))


@role.command()
@click.argument("person", type=NUMBER)
@click.option("--last-admin", is_flag=True, help="Also if nobody is left then who could invite others.")
@pass_context
def revoke(context: CommandContext, person: int, *, last_admin: bool) -> None:
    """Take all roles from PERSON (a number of `role list`)."""

    help_desk = _help_desk(context)

    async def run() -> None:
        async with context.store() as store:
            at = clock.now()
            await store.write(lambda tx: help_desk.dismiss(tx, person, at=at, actor=ACTOR, even_last=last_admin))

    try:
        context.run(run())
    except NotAllowed as refusal:
        if str(refusal) == access.ONLY_ADMIN:
            raise BotError(
                f"Person {person} is the only admin left: invite another one first, or add --last-admin."
            ) from None
        raise BotError(f"Person {person} holds no role.") from None
    print(f"Revoked: person {person} is a citizen again.")


@click.command()
@click.argument("person", type=NUMBER)
@pass_context
def forget(context: CommandContext, person: int) -> None:
    """Delete everything about PERSON (a number, as in `role list`)."""

    help_desk = _help_desk(context)

    def work(tx: Transaction) -> bool:
        known = people.by_number(tx, person)
        if known is not None:
            help_desk.forget(tx, person, at=clock.now(), day=context.today().isoformat())
            messages.forget_all(tx, known)
            access.write_audit(tx, actor=ACTOR, action="forget", detail=f"person {person}", at=clock.now())
        return known is not None

    async def run() -> bool:
        async with context.store() as store:
            known = await store.write(work)
            await store.purge_deleted()
            days = context.settings.privacy.revocation_days
            await Journal(context.settings.data_folder).keep(store, at=clock.now(), days=days)
            return known

    if not context.run(run()):
        raise BotError(f"There is no person {person}.")
    print(f"Deleted: person {person}.")


def _district(context: CommandContext, scope: str) -> str:
    """Return the id of a district that was named by id or name. Raise BotError if that names none, or several."""
    regions = load_regions(context.settings.region)
    if not scope or scope in regions.districts:
        return scope
    meant = regions.understand(scope).one
    if meant is None or meant.commune:
        raise BotError(f"--scope: there is no district {scope!r}; known are {', '.join(regions.districts)}.")
    return meant.district


def _help_desk(context: CommandContext) -> HelpDesk:
    settings = context.settings
    return HelpDesk(load_catalogues(settings.languages), settings, load_regions(settings.region))
