"""What a message of the Official Account carries beside its text: pictures and files by upload, buttons."""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

import aiohttp
import structlog

from bot.channels.zalo.oa.events import CHOICE_MARK, NAME
from bot.clock import Clock
from bot.errors import Rejected
from bot.message import Attachment, Button

log = structlog.get_logger()

LARGEST_PICTURE, LARGEST_FILE = 1_000_000, 5_000_000
_UPLOADED_FILES = (".pdf", ".doc", ".docx", ".csv")
_JPEG = b"\xff\xd8"
_MOST_BUTTONS, _LONGEST_TITLE, _LONGEST_PAYLOAD = 5, 100, 1000
_UPLOAD_LIFETIME = timedelta(days=6)  # of seven
_MOST_KEPT = 10_000

# Posts a form to a path of the interface and returns the answer's body; may raise DeliveryError, StoreError.
Post = Callable[[str, Callable[[], aiohttp.FormData]], Awaitable[Mapping[str, Any]]]


class Uploads:
    """Pictures and files at Zalo's; a picture that was uploaded of late is not uploaded again."""

    def __init__(self, post: Post, *, clock: Clock) -> None:
        """Upload nothing yet."""
        self._post, self._clock = post, clock
        self._numbers: OrderedDict[str, tuple[str, datetime]] = OrderedDict()  # digest → number, when it was given

    async def picture(self, image: bytes | str) -> Mapping[str, Any] | None:
        """Return a picture as an attachment; None for one that Zalo does not take."""
        if isinstance(image, str):
            return _media({"url": image})
        if len(image) > LARGEST_PICTURE:
            return None
        digest, now = hashlib.sha256(image).hexdigest(), self._clock()
        number, uploaded_at = self._numbers.get(digest, ("", now))
        if not number or now - uploaded_at > _UPLOAD_LIFETIME:
            kind = "jpeg" if image.startswith(_JPEG) else "png"
            try:
                number = await self._upload(
                    "/v2.0/oa/upload/image", f"picture.{kind}", f"image/{kind}", image, "attachment_id"
                )
            except Rejected as error:
                log.warning("picture refused, sent in words", channel=NAME, code=error.code)
                return None
            self._numbers[digest] = number, now
            if len(self._numbers) > _MOST_KEPT:
                self._numbers.popitem(last=False)
        return _media({"attachment_id": number})

    def forget(self, image: bytes) -> None:
        """Forget a picture's number, which Zalo does not know any more."""
        self._numbers.pop(hashlib.sha256(image).hexdigest(), None)

    async def file(self, file: Attachment) -> Mapping[str, Any] | None:
        """Return a file as an attachment; None when Zalo takes none of its kind."""
        if not file.name.lower().endswith(_UPLOADED_FILES) or len(file.content) > LARGEST_FILE:
            return None
        try:
            token = await self._upload("/v2.0/oa/upload/file", file.name, file.media_type, file.content, "token")
        except Rejected as error:
            log.warning("file refused, sent in words", channel=NAME, code=error.code)
            return None
        return {"type": "file", "payload": {"token": token}}

    async def _upload(self, path: str, name: str, media_type: str, content: bytes, key: str) -> str:
        def form() -> aiohttp.FormData:
            made = aiohttp.FormData()
            made.add_field("file", content, filename=name, content_type=media_type)
            return made

        data = (await self._post(path, form)).get("data")
        number = data.get(key) if isinstance(data, dict) else None
        if not number:
            raise Rejected("Zalo took an upload without giving its number.", code="upload")
        return str(number)


def as_buttons(buttons: Sequence[Button], *, template_type: str) -> Mapping[str, Any]:
    """Return the first choices as buttons, which stand beside the numbered lines."""
    shown = [
        {"title": button.label[:_LONGEST_TITLE], "type": "oa.query.hide", "payload": f"{CHOICE_MARK}{button.choice}"}
        for button in buttons[:_MOST_BUTTONS]
        if len(button.choice) + len(CHOICE_MARK) <= _LONGEST_PAYLOAD
    ]
    template = {"template_type": template_type} if template_type else {}
    return {"type": "template", "payload": {**template, "buttons": shown}}


def _media(where: Mapping[str, str]) -> Mapping[str, Any]:
    element = {"media_type": "image", **where}
    return {"type": "template", "payload": {"template_type": "media", "elements": [element]}}
