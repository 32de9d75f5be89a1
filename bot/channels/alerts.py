"""The way to the admins when a channel is in danger: over all channels but that one, each in their language."""

from __future__ import annotations

from collections.abc import Mapping

from bot.clock import Clock, stamp
from bot.i18n.catalogue import Catalogue
from bot.message import Reply
from bot.serialization import dump_reply
from bot.store import Store, Transaction, pushes, roles, usage

_ALARMED = "alarmed"


class AdminAlerts:
    """Tells the admins; what is said `once` is not said again, not even after a restart."""

    def __init__(
        self, store: Store, channel: str, *, catalogues: Mapping[str, Catalogue], default_language: str, clock: Clock
    ) -> None:
        """Speak for a channel; admins without a language of their own read the default one."""
        self._store, self._channel, self._clock = store, channel, clock
        self._catalogues, self._default_language = catalogues, default_language

    async def sound(self, sentence: str, *, once: str = "", **values: object) -> None:
        """Tell the admins a sentence that was marked for translation; raises StoreError."""
        await self._store.write(lambda tx: self.ring(tx, sentence, once=once, **values))

    def ring(self, tx: Transaction, sentence: str, *, once: str = "", **values: object) -> None:
        """Tell the admins, together with what else a transaction writes."""
        if once and not usage.once(tx, self._channel, period=once, kind=_ALARMED):
            return
        for admin in roles.admins(tx, except_channel=self._channel):
            catalogue = self._catalogues.get(admin["language"], self._catalogues[self._default_language])
            reply = Reply(catalogue.t(sentence, **values))
            pushes.add(tx, admin["id"], reply=dump_reply(reply), at=stamp(self._clock()))
