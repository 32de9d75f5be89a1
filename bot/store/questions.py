"""What citizens asked, without address and personal numbers, for improving the answers."""

from __future__ import annotations

from bot.store.database import Row, Transaction


def note(
    tx: Transaction,
    person_id: int,
    *,
    channel: str,
    language: str,
    text: str,
    article: str,
    verdict: str,
    score: float,
    at: str,
) -> None:
    """Keep one question with what the search made of it."""
    tx.defer(
        """
        INSERT INTO questions (person_id, channel, language, text, article, verdict, score, at)
        VALUES (:id, :channel, :language, :text, :article, :verdict, :score, :at)
        """,
        id=person_id,
        channel=channel,
        language=language,
        text=text,
        article=article,
        verdict=verdict,
        score=score,
        at=at,
    )


def rate_latest(tx: Transaction, person_id: int, *, helped: bool) -> None:
    """Note whether the latest answer helped."""
    tx.run(
        """
        UPDATE questions SET helped = :helped, reason = ''
        WHERE id = (SELECT MAX(id) FROM questions WHERE person_id = :id AND article <> '')
        """,
        helped=int(helped),
        id=person_id,
    )


def give_reason(tx: Transaction, person_id: int, reason: str) -> None:
    """Note why the latest answer that did not help did not."""
    tx.run(
        """
        UPDATE questions SET reason = :reason
        WHERE id = (SELECT MAX(id) FROM questions WHERE person_id = :id AND helped = 0)
        """,
        reason=reason,
        id=person_id,
    )


def unhelpful(tx: Transaction, *, since: str) -> list[Row]:
    """Count the answers that did not help, by article and reason."""
    return tx.all(
        """
        SELECT article, reason, COUNT(*) AS times FROM questions
        WHERE at >= :since AND helped = 0 AND article <> '' GROUP BY article, reason ORDER BY article, reason
        """,
        since=since,
    )


def latest_failed(tx: Transaction, person_id: int, *, since: str) -> str:
    """Return the latest question of a person that found no answer or a bad one, since a moment; empty when none."""
    row = tx.one(
        """
        SELECT text FROM questions
        WHERE person_id = :id AND at >= :since AND (verdict <> 'answer' OR helped = 0) ORDER BY id DESC LIMIT 1
        """,
        id=person_id,
        since=since,
    )
    return str(row["text"]) if row else ""


def of_person(tx: Transaction, person_id: int) -> list[Row]:
    """List a person's questions, oldest first."""
    return tx.all("SELECT text, at FROM questions WHERE person_id = :id ORDER BY id", id=person_id)


def unanswered(tx: Transaction, *, since: str, limit: int) -> list[Row]:
    """List what found no answer or a bad one, most frequent first."""
    return tx.all(
        """
        SELECT text, MIN(article) AS article, verdict, COUNT(*) AS times,
               SUM(CASE WHEN helped = 0 THEN 1 ELSE 0 END) AS unhelped, MAX(at) AS latest
        FROM questions WHERE at >= :since AND (verdict <> 'answer' OR helped = 0)
        GROUP BY text, verdict ORDER BY times DESC, latest DESC LIMIT :limit
        """,
        since=since,
        limit=limit,
    )


def frequent(tx: Transaction, *, since: str, limit: int) -> list[Row]:
    """List which articles were asked for most."""
    return tx.all(
        """
        SELECT article, COUNT(*) AS times, SUM(CASE WHEN helped = 1 THEN 1 ELSE 0 END) AS helped,
               SUM(CASE WHEN helped = 0 THEN 1 ELSE 0 END) AS unhelped
        FROM questions WHERE at >= :since AND article <> ''
        GROUP BY article ORDER BY times DESC, article LIMIT :limit
        """,
        since=since,
        limit=limit,
    )


def answered(tx: Transaction, *, since: str) -> list[Row]:
    """List the texts that an article answered or was offered for, each once."""
    return tx.all("SELECT DISTINCT text FROM questions WHERE at >= :since AND article <> '' ORDER BY text", since=since)


def forget_before(tx: Transaction, moment: str) -> int:
    """Delete questions older than a moment; returns how many."""
    return tx.run("DELETE FROM questions WHERE at < :moment", moment=moment)
