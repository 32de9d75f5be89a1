"""Who of a broadcast's ledger is held back at random to compare with, and how many of both sides reported.

A held-back row is in the state `held`: nothing is sent by it. Who is held back follows from the seed and the numbers of
the people alone: the first of the ledger in the order of md5("seed/person"), on every engine.
"""

from __future__ import annotations

from bot.store.audiences import Whom, known_people
from bot.store.database import Row, Transaction


def hold_back(tx: Transaction, number: int, *, seed: str, percent: int) -> int:
    """Hold back a share of a planned ledger in the place of whoever was held back before; returns how many."""
    tx.run("UPDATE deliveries SET state = 'planned' WHERE broadcast_id = :number AND state = 'held'", number=number)
    return tx.run(
        """
        UPDATE deliveries SET state = 'held' WHERE id IN (
            SELECT id FROM deliveries WHERE broadcast_id = :number AND state = 'planned'
            ORDER BY md5(CAST(:seed AS TEXT) || '/' || CAST(person_id AS TEXT)), person_id
            LIMIT (SELECT COUNT(*) * CAST(:percent AS INTEGER) / 100 FROM deliveries WHERE broadcast_id = :number)
        )
        """,
        number=number,
        seed=seed,
        percent=percent,
    )


def begin(tx: Transaction, number: int, *, at: str) -> None:
    """Have those held back count as reminded from a moment on, as the others do.

    Otherwise the next broadcast would tell the two sides apart: by reaching one of them, and by how many it counts.
    """
    tx.run("UPDATE deliveries SET at = :at WHERE broadcast_id = :number AND state = 'held'", number=number, at=at)


def end(tx: Transaction, number: int) -> None:
    """Have those held back count as reminded no more, so that they can be written to."""
    begin(tx, number, at="")


def count_sides(
    tx: Transaction, number: int, whom: Whom, *, began_at: str, until: str, after: int, upto: int
) -> list[Row]:
    """Count on a page who had not reported when a broadcast began, and who of them did until a moment: held, people.

    Everybody counts on the side that chance put them on, whether a message reached them or not.
    """
    known, values = known_people(whom)
    return tx.all(
        f"""
        WITH {known} SELECT CASE WHEN d.state = 'held' THEN 1 ELSE 0 END AS held, COUNT(*) AS people,
            SUM(CASE WHEN COALESCE(k.reported_at, '9') <= :until THEN 1 ELSE 0 END) AS reported
        FROM known k JOIN deliveries d ON d.person_id = k.id AND d.broadcast_id = :number
        WHERE COALESCE(k.reported_at, '9') > :began_at
        GROUP BY CASE WHEN d.state = 'held' THEN 1 ELSE 0 END
        """,  # noqa: S608 - no value in it
        number=number,
        began_at=began_at,
        until=until,
        after=after,
        upto=upto,
        **values,
    )
