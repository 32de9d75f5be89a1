"""Saying things on Telegram: texts, pictures, files, and putting an answer in the place of a menu or a picture."""

from __future__ import annotations

from collections import OrderedDict
from typing import Any

import structlog
from telegram import Bot, InputMediaPhoto
from telegram.constants import ParseMode
from telegram.error import BadRequest, TelegramError, TimedOut

from bot.channels.telegram.bot_api import ApiBot
from bot.channels.telegram.errors import says_unchanged, says_unreadable
from bot.channels.telegram.formatting import NO_PREVIEW, html, keyboard, message_body, needs_keys, too_long
from bot.channels.telegram.updates import Answered, how_to_answer
from bot.clock import Clock, stamp
from bot.errors import DeliveryError, Unreachable
from bot.message import Receipt, Reply
from bot.store import Store, Transaction, choices
from bot.text.markup import to_plain

log = structlog.get_logger()

_MOST_EDITED = 10_000


class Speaker:
    """Says replies through a bot; remembers which menus were replaced already."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store, self._clock = store, clock
        self._edited: OrderedDict[str, None] = OrderedDict()

    async def speak(self, bot: ApiBot, chat: int, reply: Reply, answering: str) -> Receipt:
        """Say a reply; raises TelegramError, DeliveryError, StoreError."""
        if reply.buttons and needs_keys(reply.buttons):
            await self._keep_choices(reply)
        answered = how_to_answer(answering)
        if place := await self._put_in_place(bot, chat, reply, answering, answered):
            return Receipt(str(place))
        if reply.image or reply.file:
            return await self._send_media(bot, chat, reply, answered)
        return await self._send_text(bot, chat, reply, answered)

    async def _put_in_place(self, bot: ApiBot, chat: int, reply: Reply, answering: str, answered: Answered) -> int:
        """Put the first reply to a press in the place of the menu or picture; return its number, 0 for a new message.

        A text takes the place of a menu and a picture that of a picture; whatever else comes stands below.
        """
        number = answered.edits or answered.edits_picture
        if not number or answering in self._edited:
            return 0
        done = False
        if answered.edits and not (reply.image or reply.file):
            done = await self._edit(bot, chat, number, reply)
        elif answered.edits_picture and reply.image and not reply.file:
            done = await self._edit_picture(bot, chat, number, reply)
        self._remember_edited(answering)
        return number if done else 0

    async def change(self, bot: Bot, chat: int, number: int, reply: Reply) -> bool:
        """Put a reply in the place of a message; False when that cannot be changed any more."""
        if reply.buttons and needs_keys(reply.buttons):
            await self._keep_choices(reply)
        return await self._edit(bot, chat, number, reply)

    async def _send_text(self, bot: ApiBot, chat: int, reply: Reply, answered: Answered) -> Receipt:
        try:
            if not answered.replies_to:
                return _receipt(await bot.say(chat, message_body(reply.text, reply.buttons)))
            sent = await self._send_said(bot, chat, html(reply.text), ParseMode.HTML, reply, answered)
        except BadRequest as error:
            if not says_unreadable(error):
                raise
            log.error("text sent without its marks", reason=error.message)
            sent = await self._send_said(bot, chat, to_plain(reply.text), None, reply, answered)
        return _receipt(sent)

    async def _send_said(
        self, bot: Bot, chat: int, text: str, parse_mode: str | None, reply: Reply, answered: Answered
    ) -> object:
        more: dict[str, Any] = {"link_preview_options": NO_PREVIEW, **_in_reply(answered)}
        return await bot.send_message(chat, text, parse_mode, reply_markup=keyboard(reply.buttons), api_kwargs=more)

    async def _edit(self, bot: Bot, chat: int, number: int, reply: Reply) -> bool:
        """Put a reply in the place of a menu; False when that message cannot be changed any more."""
        try:
            await bot.edit_message_text(
                html(reply.text),
                chat,
                number,
                parse_mode=ParseMode.HTML,
                reply_markup=keyboard(reply.buttons),
                api_kwargs={"link_preview_options": NO_PREVIEW},
            )
        except BadRequest as error:
            return says_unchanged(error)
        except TimedOut as error:  # to repeat an edit does no harm
            raise _unreachable(error) from None
        return True

    async def _edit_picture(self, bot: Bot, chat: int, number: int, reply: Reply) -> bool:
        """Put a picture with its text in the place of another; False when that cannot be changed any more."""
        caption = html(reply.text) or None
        picture = InputMediaPhoto(reply.image, caption=caption, parse_mode=ParseMode.HTML)
        try:
            await bot.edit_message_media(picture, chat, number, reply_markup=keyboard(reply.buttons))
        except BadRequest as error:
            return says_unchanged(error)
        except TimedOut as error:  # to repeat an edit does no harm
            raise _unreachable(error) from None
        return True

    async def _send_media(self, bot: ApiBot, chat: int, reply: Reply, answered: Answered) -> Receipt:
        """Send a picture or a file with its text under it."""
        shown: dict[str, Any] = {
            "caption": html(reply.text) or None,
            "parse_mode": ParseMode.HTML,
            "reply_markup": keyboard(reply.buttons),
            "api_kwargs": _in_reply(answered),
        }
        if reply.file is None:
            return _receipt(await bot.send_photo(chat, reply.image, **shown))
        return _receipt(await bot.send_document(chat, reply.file.content, filename=reply.file.name, **shown))

    async def _keep_choices(self, reply: Reply) -> None:
        kept, at = [button.choice for button in reply.buttons if too_long(button)], stamp(self._clock())

        def work(tx: Transaction) -> None:
            for choice in sorted(kept):  # everybody in the same order, so that nobody waits in a circle
                choices.keep(tx, choice, at=at)

        await self._store.write(work)

    def _remember_edited(self, answering: str) -> None:
        self._edited[answering] = None
        if len(self._edited) > _MOST_EDITED:
            self._edited.popitem(last=False)


def _unreachable(error: TelegramError) -> DeliveryError:
    return Unreachable(f"{error.message}.", code="timeout")


def _receipt(sent: object) -> Receipt:
    """Read the number of a sent message, where the answer was read at all."""
    number = sent.get("message_id") if isinstance(sent, dict) else getattr(sent, "message_id", None)
    return Receipt(str(number)) if number else Receipt()


def _in_reply(answered: Answered) -> dict[str, Any]:
    if not answered.replies_to:
        return {}
    return {"reply_parameters": {"message_id": answered.replies_to, "allow_sending_without_reply": True}}
