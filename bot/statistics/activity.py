"""Questions and cases by day: counted once a day is over, read for trends and reports.

The daily sweep, the desk and the command line call `count_up` before they read. Counts outlive the questions and the
cases, which are deleted after `privacy.question_days`.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta, tzinfo
from functools import partial

from bot.clock import local_day, moment, stamp
from bot.library.articles import Article
from bot.store import Row, Store, Transaction, activity

_AGAIN_DAYS = 2  # counted anew: whether an answer helped is often said later
_MAX_DAYS = 400  # looked back, also after a clock was set far ahead; questions are kept for less
NO_TOPIC = ""  # of what led to no article, or to one that is gone


@dataclass(frozen=True, slots=True)
class ArticleCount:
    """How often an article was asked for, and how many said that it helped or did not."""

    article: str
    asked: int
    helped: int
    unhelped: int


@dataclass(frozen=True, slots=True)
class QuestionCounts:
    """Questions of some days: in all, without an answer, by week and topic, and by article, most asked first."""

    asked: int
    unanswered: int
    by_week: Mapping[tuple[date, str], int]
    unanswered_by_week: Mapping[date, int]
    articles: tuple[ArticleCount, ...]


@dataclass(frozen=True, slots=True)
class CaseCounts:
    """Cases of some days: opened, answered for the first time, of these in time, closed."""

    opened: int
    answered: int
    in_time: int
    closed: int


def count_up(tx: Transaction, *, now: datetime, zone: tzinfo) -> None:
    """Count the days up to yesterday that are not counted yet, and the last ones again."""
    yesterday = local_day(now, zone) - timedelta(days=1)
    last, first = activity.last_day(tx), activity.first_moment(tx)
    if last:
        # Of older days, what was counted may be deleted by now.
        day = min(date.fromisoformat(last), yesterday - timedelta(days=_AGAIN_DAYS)) + timedelta(days=1)
    elif first:
        day = local_day(moment(first), zone)
    else:
        return
    day = max(day, yesterday - timedelta(days=_MAX_DAYS))
    while day <= yesterday:
        begin = datetime.combine(day, time(), zone)
        end = datetime.combine(day + timedelta(days=1), time(), zone)
        activity.count_day(tx, day.isoformat(), since=stamp(begin), until=stamp(end))
        day += timedelta(days=1)


async def ensure_counted(store: Store, *, now: datetime, zone: tzinfo) -> None:
    """Count what is over, wherever no running bot did it."""
    await store.write(partial(count_up, now=now, zone=zone))


async def count_questions(store: Store, articles: Mapping[str, Article], *, since: date, until: date) -> QuestionCounts:
    """Count the questions of some days, both included."""
    rows = await _rows(store, since, until)
    sums = _sums(rows)
    by_week: Counter[tuple[date, str]] = Counter()
    unanswered: Counter[date] = Counter()
    for row in rows:
        day = date.fromisoformat(row["day"])
        week = day - timedelta(days=day.weekday())
        if row["subject"] == activity.ASKED:
            article = articles.get(row["name"])
            by_week[week, article.topic if article else NO_TOPIC] += row["times"]
        elif row["subject"] == activity.OPEN:
            unanswered[week] += row["times"]
    counted = (
        ArticleCount(name, asked, sums[activity.HELPED][name], sums[activity.UNHELPED][name])
        for name, asked in sums[activity.ASKED].items()
        if name in articles
    )
    return QuestionCounts(
        sums[activity.ASKED].total(),
        sums[activity.OPEN].total(),
        by_week,
        unanswered,
        tuple(sorted(counted, key=lambda one: (-one.asked, one.article))),
    )


async def count_cases(store: Store, *, since: date, until: date, scope: Iterable[str] | None = None) -> CaseCounts:
    """Count the cases of some days, both included, within a scope (None: the whole province)."""
    wanted = None if scope is None else set(scope)
    rows = [row for row in await _rows(store, since, until) if wanted is None or row["district"] in wanted]
    sums = _sums(rows)
    return CaseCounts(
        sums[activity.CASE_OPENED].total(),
        sums[activity.CASE_ANSWERED].total(),
        sums[activity.CASE_IN_TIME].total(),
        sums[activity.CASE_CLOSED].total(),
    )


async def _rows(store: Store, since: date, until: date) -> list[Row]:
    return await store.read(partial(activity.between, since=since.isoformat(), until=until.isoformat()))


def _sums(rows: Sequence[Row]) -> Mapping[str, Counter[str]]:
    sums: dict[str, Counter[str]] = defaultdict(Counter)
    for row in rows:
        sums[row["subject"]][row["name"]] += row["times"]
    return sums
