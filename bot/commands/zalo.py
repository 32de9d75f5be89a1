"""zalo-oa: giving the bot the Official Account's keys by a consent in the browser."""

from __future__ import annotations

import re
import secrets
from urllib.parse import parse_qs, urlsplit

import click

from bot import clock
from bot.channels.zalo.oa.tokens import (
    App,
    Pair,
    ask_for_pair,
    challenge_of,
    consent_link,
    exchange,
    keep_pair,
    verifier_of,
)
from bot.channels.zalo.transport import ZaloTransport
from bot.commands.context import CommandContext, pass_context
from bot.errors import BotError
from bot.runtime.build import bot_secret
from bot.runtime.zalo_factory import oa_app

_CODE = re.compile(r"[\w.~-]{8,2000}")


@click.group("zalo-oa")
def zalo_oa() -> None:
    """The Zalo Official Account: its consent and its keys."""


@zalo_oa.command()
@click.option("--code", default="", help="The code of a consent just given; without it, the command asks for it.")
@click.option("--redirect-url", default="", help="Where Zalo sends the admin back (default: zalo_oa.redirect_url).")
@pass_context
def login(context: CommandContext, code: str, redirect_url: str) -> None:
    """Walk through a new consent: show the link, take the code, store the keys. A running bot takes them up."""
    settings = context.settings
    app = oa_app(settings)
    settings.data_folder.mkdir(parents=True, exist_ok=True)
    verifier = verifier_of(bot_secret(settings), app.id)
    if not code:
        back = redirect_url or settings.zalo_oa.redirect_url or settings.web.public_url
        if not back:
            raise BotError("Set zalo_oa.redirect_url to the callback address that is registered in the app's console.")
        code = _ask(app, verifier, back)
    pair = context.run(_exchange(app, _code_in(code), verifier))
    context.run(_keep(context, app, pair))
    print("Stored. A running bot uses the new keys within half a minute; no restart is needed.")


def _ask(app: App, verifier: str, back: str) -> str:
    print("1. In the console of developers.zalo.me, your app, Official Account, check that these are registered:")
    print(f"   Callback URL:    {back}")
    print(f"   Code Challenge:  {challenge_of(verifier)}")
    print("2. Sign in to Zalo as an admin of the Official Account, open this link and agree:\n")
    print(consent_link(app, verifier=verifier, redirect_url=back, state=secrets.token_urlsafe(9)))
    print("\n3. The browser is sent to an address with ?code=… in it. Copy that whole address within 10 minutes.")
    answer: str = click.prompt("Address or code", prompt_suffix=": ")
    return answer


def _code_in(pasted: str) -> str:
    """Take the code out of what was pasted: the whole address, or the code alone."""
    pasted = pasted.strip()
    code = (parse_qs(urlsplit(pasted).query).get("code") or [""])[0] if "?" in pasted else pasted
    if not _CODE.fullmatch(code):
        raise BotError("There is no code in what was pasted; copy the address of the page that opened after agreeing.")
    return code


async def _exchange(app: App, code: str, verifier: str) -> Pair:
    transport = ZaloTransport(connections=1, seconds=30)
    try:
        return await ask_for_pair(transport, app, exchange(app, code=code, verifier=verifier))
    finally:
        await transport.close()


async def _keep(context: CommandContext, app: App, pair: Pair) -> None:
    async with context.store() as store:
        await keep_pair(store, app, pair, obtained_at=clock.now())
