"""What a database must offer, whichever engine it is."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol, TypeVar

Result = TypeVar("Result")


class Row(Protocol):
    """One record; values by column name or position."""

    def __getitem__(self, key: str | int, /) -> Any:
        """Return one value."""


class Transaction(Protocol):
    """One transaction of a store; values are always passed beside the statement, as `:name`."""

    def all(self, sql: str, /, **values: object) -> list[Row]:
        """Run a query and return its rows."""

    def one(self, sql: str, /, **values: object) -> Row | None:
        """Run a query and return its first row, if any."""

    def run(self, sql: str, /, **values: object) -> int:
        """Run a statement and return how many rows it changed."""

    def defer(self, sql: str, /, **values: object) -> None:
        """Leave a statement to be run together with its like, before the next other one and before the commit.

        Each must change one row; where one does not, the transaction fails as Conflict.
        """

    def lock(self, *keys: str) -> bool:
        """Let every other writer that holds one of these keys wait until the commit.

        True where others write at the same time, so that what was read before may have changed.
        """

    def add(self, sql: str, /, *, table: str, change: int, **values: object) -> None:
        """Run an upsert that adds `:change` to a row of a table, before it is read here and before the commit."""

    def run_many(self, sql: str, /, rows: Sequence[Mapping[str, object]]) -> None:
        """Run a statement at once for each of many rows of values."""

    def begin_copy(self) -> None:
        """Let the statements of this transaction take as long as they need."""

    def renumber(self, table: str, column: str) -> None:
        """Have automatic numbers go on after the largest that was copied into a table."""


class Store(Protocol):
    """A database under asyncio: functions of a transaction go in, their results come out."""

    @property
    def name(self) -> str:
        """Where it is, without a password."""

    @property
    def shared(self) -> bool:
        """Whether several processes may serve the same people from it."""

    async def read(self, work: Callable[[Transaction], Result]) -> Result:
        """Run a reading function on a consistent view; may see the latest committed state only."""

    async def read_inline(self, work: Callable[[Transaction], Result]) -> Result:
        """Run a function that reads a few rows by their keys; an engine that can does so at once, without waiting."""

    async def write(self, work: Callable[[Transaction], Result]) -> Result:
        """Run a writing function whole or not at all; returns only after the commit."""

    async def purge_deleted(self) -> None:
        """Leave nothing readable of what was deleted; raises StoreUnavailable when it must be tried again."""

    async def close(self) -> None:
        """Finish what was begun and let go of the database."""
