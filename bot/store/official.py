"""Figures of the authorities, beside what citizens report, and the imports that brought them."""

from __future__ import annotations

from bot.store.database import Row, Transaction

DRAFT, TAKEN, UNDONE = "draft", "taken", "undone"


def put(tx: Transaction, *, day: str, district: str, phones: int, at: str) -> None:
    """Keep the figure of a day in the place of an earlier one."""
    tx.run(
        """
        INSERT INTO official_figures (day, district, phones, imported_at) VALUES (:day, :district, :phones, :at)
        ON CONFLICT (day, district) DO UPDATE SET phones = excluded.phones, imported_at = excluded.imported_at
        """,
        day=day,
        district=district,
        phones=phones,
        at=at,
    )


def remove(tx: Transaction, *, day: str, district: str) -> None:
    """Delete the figure of a day."""
    tx.run("DELETE FROM official_figures WHERE day = :day AND district = :district", day=day, district=district)


def figure(tx: Transaction, *, day: str, district: str) -> Row | None:
    """Return the figure of a day: phones, imported_at."""
    return tx.one(
        "SELECT phones, imported_at FROM official_figures WHERE day = :day AND district = :district",
        day=day,
        district=district,
    )


def figures(tx: Transaction, *, until: str) -> list[Row]:
    """List all figures up to a day, oldest first: day, district (or the province's id), phones."""
    return tx.all(
        "SELECT day, district, phones FROM official_figures WHERE day <= :until ORDER BY day, district", until=until
    )


def add_import(tx: Transaction, *, made_by: str, file: str, content: str, mapping: str, at: str) -> int:
    """Keep the tables of a file as a draft and return its number."""
    row = tx.one(
        """
        INSERT INTO official_imports (state, made_by, file, content, mapping, made_at)
        VALUES ('draft', :made_by, :file, :content, :mapping, :at) RETURNING id
        """,
        made_by=made_by,
        file=file,
        content=content,
        mapping=mapping,
        at=at,
    )
    assert row is not None  # RETURNING always yields the row that was written
    return int(row["id"])


def find_import(tx: Transaction, number: int) -> Row | None:
    """Return everything about one import."""
    return tx.one(
        """
        SELECT id, state, made_by, file, content, mapping, figures, made_at, taken_at FROM official_imports
        WHERE id = :number
        """,
        number=number,
    )


def latest_imports(tx: Transaction, *, limit: int) -> list[Row]:
    """List the imports that are no drafts, newest first."""
    return tx.all(
        """
        SELECT id, state, made_by, file, '' AS content, mapping, figures, made_at, taken_at FROM official_imports
        WHERE state <> 'draft' ORDER BY id DESC LIMIT :limit
        """,
        limit=limit,
    )


def change_mapping(tx: Transaction, number: int, mapping: str) -> bool:
    """Keep another mapping of a draft; False if it is none."""
    return bool(
        tx.run(
            "UPDATE official_imports SET mapping = :mapping WHERE id = :number AND state = 'draft'",
            mapping=mapping,
            number=number,
        )
    )


def end_import(tx: Transaction, number: int, *, before: str, state: str, figures: str, at: str) -> bool:
    """Move an import on and forget its tables; False if it is in another state than `before`."""
    return bool(
        tx.run(
            """
            UPDATE official_imports SET state = :state, figures = :figures, taken_at = :at, content = ''
            WHERE id = :number AND state = :before
            """,
            state=state,
            figures=figures,
            at=at,
            number=number,
            before=before,
        )
    )


def discard_draft(tx: Transaction, number: int) -> None:
    """Delete a draft."""
    tx.run("DELETE FROM official_imports WHERE id = :number AND state = 'draft'", number=number)


def forget_drafts(tx: Transaction, moment: str) -> int:
    """Delete drafts older than a moment; returns how many."""
    return tx.run("DELETE FROM official_imports WHERE state = 'draft' AND made_at < :moment", moment=moment)
