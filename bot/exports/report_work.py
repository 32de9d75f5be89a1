"""What the assistant and the officers did in the days of an official report: questions, cases, content."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from bot.exports.report_periods import Period
from bot.exports.wording import SPACE, number, percent
from bot.library.articles import Library
from bot.statistics.activity import CaseCounts, QuestionCounts, count_cases, count_questions
from bot.statistics.counts import rounded_part
from bot.store import Store

MAX_TITLES = 5
NO_CASES = CaseCounts(0, 0, 0, 0)
_PERCENT_FROM = 50


@dataclass(frozen=True, slots=True)
class WorkFigures:
    """Questions (None in a report of some districts: they belong to no place), cases in whole steps, and content."""

    questions: QuestionCounts | None = None
    cases: CaseCounts = NO_CASES
    titles: tuple[tuple[str, int], ...] = ()  # of the articles that were asked for most, and how often
    articles: int = 0
    topics: int = 0
    checked: int = 0  # articles that were looked through in these days
    unsure: int = 0  # articles whose facts are to be confirmed
    step: int = 1


async def gather_work(
    store: Store, library: Library, period: Period, *, step: int, scope: Iterable[str] | None
) -> WorkFigures:
    """Count what was done in some days within a scope (None: the whole province); the days must be counted up."""
    span = {"since": period.since, "until": period.until}
    questions = await count_questions(store, library.articles, **span) if scope is None else None
    counted = await count_cases(store, **span, scope=scope)
    rounded = (rounded_part(one, step) for one in (counted.opened, counted.answered, counted.in_time, counted.closed))
    # What few asked for might tell who did.
    asked = [one for one in questions.articles if one.asked >= 2 * step][:MAX_TITLES] if questions else []
    articles = library.articles.values()
    return WorkFigures(
        questions,
        CaseCounts(*rounded),
        tuple((library.articles[one.article].title.vi, one.asked) for one in asked),
        len(articles),
        len({article.topic for article in articles}),
        sum(period.since <= article.checked_on <= period.until for article in articles),
        sum(article.status == "check" for article in articles),
        step,
    )


def question_sentences(work: WorkFigures) -> list[str]:
    """Say how many questions came, how many were answered, what was asked most and whether it helped."""
    counted = work.questions
    if counted is None:
        return ["Câu hỏi gửi cho trợ lý tự động không gắn với địa bàn nên không tính riêng cho huyện, thành phố."]
    if not counted.asked:
        return ["Trong kỳ, trợ lý tự động không nhận được câu hỏi nào."]
    answered = counted.asked - counted.unanswered
    said = [
        f"Trong kỳ, trợ lý tự động nhận được {number(counted.asked)}{SPACE}câu hỏi, trả lời được "
        f"{number(answered)}{SPACE}câu{_share(answered, counted.asked)}, chưa trả lời được "
        f"{number(counted.unanswered)}{SPACE}câu."
    ]
    if work.titles:
        titles = "; ".join(f"“{title}” ({number(times)}{SPACE}lượt)" for title, times in work.titles)
        said.append(f"Được hỏi nhiều nhất: {titles}.")
    helped = sum(one.helped for one in counted.articles)
    if told := helped + sum(one.unhelped for one in counted.articles):
        said.append(
            f"Trong {number(told)}{SPACE}lượt người dân cho biết câu trả lời có ích hay không, "
            f"{number(helped)}{SPACE}lượt{_share(helped, told)} là có ích."
        )
    return said


def case_sentences(work: WorkFigures) -> list[str]:
    """Say how many people asked for an officer, and what became of it."""
    cases, few = work.cases, 2 * work.step
    if not (cases.opened or cases.answered or cases.closed):
        if work.step == 1:
            return ["Trong kỳ, không có người dân nào nhờ cán bộ giải đáp."]
        return [f"Trong kỳ, người dân nhờ cán bộ giải đáp dưới {few}{SPACE}lượt."]
    opened, answered, in_time, closed = (
        f"{number(count)}{SPACE}lượt" if count or work.step == 1 else f"dưới {few}{SPACE}lượt"
        for count in (cases.opened, cases.answered, cases.in_time, cases.closed)
    )
    return [
        f"Trong kỳ, người dân nhờ cán bộ giải đáp {opened}; cán bộ trả lời lần đầu {answered}, trong đó đúng hạn "
        f"{in_time}; đã giải quyết xong {closed}."
    ]


def content_sentences(work: WorkFigures) -> list[str]:
    """Say what the assistant answers from, and how it was kept."""
    said = (
        f"Trợ lý tự động trả lời theo {number(work.articles)}{SPACE}bài thuộc {number(work.topics)}{SPACE}chủ đề. "
        f"Trong kỳ {f'có {number(work.checked)}{SPACE}bài' if work.checked else 'không có bài nào'} được rà soát"
    )
    return [f"{said}; còn {number(work.unsure)}{SPACE}bài cần xác nhận lại thông tin." if work.unsure else f"{said}."]


def _share(part: int, whole: int) -> str:
    return f" ({percent(part / whole, 1)})" if whole >= _PERCENT_FROM else ""
