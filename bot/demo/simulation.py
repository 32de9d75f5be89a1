"""A year of simulated citizens, so that charts, reports and the desk can be tried before there are real ones.

The same seed and day make the same year. What is made is refused where anybody was ever counted, and marks the database
for good: everything that shows its figures says that they are simulated.
"""

from __future__ import annotations

import math
import random
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta

import orjson

from bot.access.roles import ADMIN, OFFICER, write_audit
from bot.clock import stamp
from bot.errors import BotError
from bot.hours import WorkingHours
from bot.library.articles import Library
from bot.library.regions import NEW_MAP, Regions
from bot.library.sources import Sources
from bot.store import Store, Transaction, demo, tallies
from bot.store.audiences import UNREPORTED, Audience

DAYS = 365
MADE_UP = "(mô phỏng) "  # before every text that a citizen might have written
ADDRESS = "simulated-"  # no platform gives such an address, so that nothing can be sent to anybody

_CHANNELS = {"zalo_oa": 52, "webchat": 26, "telegram": 17, "zalo_bot": 5}
_WEEKDAYS = (1.0, 1.05, 1.0, 0.95, 0.9, 0.75, 0.7)
_HOURS = (7, 8, 9, 10, 11, 13, 14, 15, 16, 17, 18, 19, 20, 20, 21)
_PUSHES = (45, 92, 131, 178, 226, 268, 303, 341)  # days of the year on which officers remind people
_EAGERNESS = (1.25, 1.1, 0.85, 1.0, 0.7, 1.15, 0.95, 1.05, 0.8)  # of the districts in the order of the region file
_QUESTION_DAYS, _REQUEST_DAYS, _ANSWER_DAYS = 80, 30, 2
_UNANSWERED = (
    "bao giờ có lịch tiêm mũi nhắc lại ở xã",
    "app có dùng được trên máy bàn không",
    "mua gói cước để cài ứng dụng ở đâu",
    "điện thoại cũ của mẹ tôi có tặng máy mới không",
    "ở xã có điểm hướng dẫn cài vào thứ bảy không",
    "làm sao in sổ sức khỏe ra giấy màu",
    "đổi ảnh đại diện trong sổ sức khỏe",
    "con tôi học lớp 6 có cần cài không",
)
_REQUESTS = (
    "Tôi đã cài nhưng ứng dụng báo sai ngày sinh, nhờ cán bộ hướng dẫn giúp.",
    "Bố tôi 78 tuổi không có điện thoại thông minh thì khai báo thế nào?",
    "Tôi không nhận được mã xác nhận dù đã thử ba lần.",
    "Tôi tiêm ở tỉnh khác, hai mũi chưa hiện trong sổ.",
    "Xã tôi có buổi nào hướng dẫn cài đặt tại nhà văn hóa không?",
    "Tôi đổi số điện thoại, giờ không đăng nhập được.",
    "Cơ quan tôi có 40 người, có thể nhờ cán bộ đến hướng dẫn chung không?",
)
_DATA_REQUEST = "Tôi muốn biết trợ lý đang lưu những gì về tôi và nhờ xóa ngày báo cài cũ."
_OFFICER_NAMES = (
    "Nguyễn Thị Lan",
    "Trần Văn Hùng",
    "Lê Thị Mai",
    "Phạm Văn Đức",
    "Hoàng Thị Hoa",
    "Vũ Văn Minh",
    "Đặng Thị Hương",
    "Bùi Văn Nam",
    "Đỗ Thị Thủy",
    "Ngô Văn Sơn",
    "Dương Thị Nga",
)
_REMINDER = "Mời bạn cài ứng dụng sổ sức khỏe và báo cài tại đây."
_MOST_REMINDED = 400  # of each reminder, a sample
_OUTCOMES = {
    ("sent", ""): 92,
    ("over_quota", "window-closed"): 4,
    ("gone", "left"): 1,
    ("failed", "400"): 1,
    ("unknown", "timeout"): 1,
    ("skipped", "opted-out"): 1,
}
_ANSWER = "Bạn mang điện thoại và căn cước ra bộ phận một cửa của xã, cán bộ ở đó sẽ xem cùng bạn."
_OPEN_TALKS = (("help", 0, False), ("data", 1, False), ("help", 0, True), ("help", 4, False), ("help", 1, False))


class NotEmpty(BotError):
    """The database holds people or counts already."""


@dataclass(slots=True)
class _Year:
    """What happened in the year, as rows; a person is known by their address until the database gives them a number."""

    people: list[tuple[object, ...]] = field(default_factory=list)
    reports: list[tuple[str, tuple[object, ...]]] = field(default_factory=list)
    history: list[tuple[str, tuple[object, ...]]] = field(default_factory=list)
    consents: list[tuple[str, tuple[object, ...]]] = field(default_factory=list)
    questions: list[tuple[str, tuple[object, ...]]] = field(default_factory=list)
    # who asked, which officer has it in hand or said it, and the rest of the row
    talks: list[tuple[str, str, tuple[object, ...]]] = field(default_factory=list)
    requests: list[tuple[str, str, tuple[object, ...]]] = field(default_factory=list)
    broadcasts: list[tuple[str, tuple[object, ...]]] = field(default_factory=list)
    deliveries: list[tuple[int, str, tuple[object, ...]]] = field(default_factory=list)
    roles: list[tuple[str, tuple[object, ...]]] = field(default_factory=list)
    officers: list[tuple[str, tuple[object, ...]]] = field(default_factory=list)
    tallies: Counter[tuple[str, str, str, str, str]] = field(default_factory=Counter)
    funnel: Counter[tuple[str, str, str, str, str]] = field(default_factory=Counter)


async def simulate(
    store: Store,
    regions: Regions,
    library: Library,
    sources: Sources,
    *,
    now: datetime,
    working: WorkingHours,
    people: int,
    seed: int,
) -> Mapping[str, int]:
    """Fill an empty database with a year that ended yesterday; raises NotEmpty where anybody was ever counted.

    Returns how many people, reports, questions and requests there are, and the numbers of an admin and an officer.
    """
    year = _Simulation(regions, library, sources, now=now, working=working, seed=seed).run(people)

    def work(tx: Transaction) -> dict[str, int]:
        if demo.is_simulated(tx):
            raise NotEmpty("This database holds simulated data already; take another one, or delete its file.")
        if demo.holds_anything(tx):
            raise NotEmpty("This database holds people; simulated data is only made in an empty one.")
        demo.note_simulation(tx, seed=seed, people=people, at=stamp(now))
        demo.fill(tx, "people", year.people)
        numbers = demo.numbers(tx)
        for table, rows in (
            ("reports", year.reports),
            ("report_history", year.history),
            ("consents", year.consents),
            ("questions", year.questions),
            ("roles", year.roles),
            ("officers", year.officers),
        ):
            demo.fill(tx, table, [(numbers[address], *row) for address, row in rows])
        demo.fill(tx, "broadcasts", [(f"person {numbers[maker]}", *row) for maker, row in year.broadcasts])
        sent = demo.broadcasts(tx)
        demo.fill(tx, "deliveries", [(sent[index], numbers[to], *row) for index, to, row in year.deliveries])
        talked = [(numbers[address], numbers.get(officer), *row) for address, officer, row in year.talks]
        demo.fill(tx, "conversations", talked)
        talks = demo.talks(tx)
        said = [
            (talks[numbers[address]], "officer" if officer else "citizen", numbers.get(officer), *row)
            for address, officer, row in year.requests
        ]
        demo.fill(tx, "conversation_messages", said)
        demo.fill(tx, "tallies", [(*key, change) for key, change in sorted(year.tallies.items())])
        demo.fill(tx, "funnel", [(*key, count) for key, count in sorted(year.funnel.items())])
        write_audit(tx, actor="command line", action="demo-data", detail=f"{people} simulated people", at=now)
        return {
            "people": people,
            "reports": len(year.reports),
            "questions": len(year.questions),
            "requests": len(year.requests),
            "admin": numbers[f"{ADDRESS}{ADMIN}"],
            "officer": numbers[f"{ADDRESS}{OFFICER}-{next(iter(regions.districts))}"],
        }

    return await store.write(work)


class _Simulation:
    """The dice, and what they are thrown for."""

    def __init__(
        self, regions: Regions, library: Library, sources: Sources, *, now: datetime, working: WorkingHours, seed: int
    ) -> None:
        self._dice = random.Random(seed)  # noqa: S311 - a year that can be made again, not a secret
        self._regions, self._working, self._zone = regions, working, working.zone
        self._end = now.astimezone(working.zone).date() - timedelta(days=1)
        self._start = self._end - timedelta(days=DAYS - 1)
        self._days = [self._start + timedelta(days=number) for number in range(DAYS)]
        self._busy = [_busyness(number, day) for number, day in enumerate(self._days)]
        self._districts = list(regions.districts.values())
        eager = [_EAGERNESS[number % len(_EAGERNESS)] for number in range(len(self._districts))]
        self._sizes = [d.adults_estimate * much for d, much in zip(self._districts, eager, strict=True)]
        self._communes = {d.id: _communes(regions, d.id) for d in self._districts}
        self._codes = {
            d.id: [code for code, source in sources.by_code.items() if source.district == d.id] for d in self._districts
        }
        articles = [a for a in library.articles.values() if a.topic not in ("bot", "health")]
        self._asked = [(text, article.id) for article in articles for text in article.questions.vi[:4]]
        self._weights = [1 / (1 + number % 17) for number in range(len(self._asked))]
        self._year = _Year()

    def run(self, people: int) -> _Year:
        """Let everybody live through the year."""
        days = self._dice.choices(range(DAYS), self._busy, k=people)
        for number, day in enumerate(sorted(days)):
            self._citizen(f"{ADDRESS}{number + 1:06}", day)
        self._officials()
        self._open_talks()
        self._send_to_many()
        return self._year

    def _citizen(self, address: str, first: int) -> None:
        dice, year = self._dice, self._year
        district = dice.choices(self._districts, self._sizes)[0].id
        channel = dice.choices(list(_CHANNELS), list(_CHANNELS.values()))[0]
        language = "en" if dice.random() < 0.02 else "vi"
        codes = self._codes[district]
        source = dice.choice(codes[:4] if dice.random() < 0.6 else codes) if codes and dice.random() < 0.45 else ""
        met = self._moment(first)
        steps = ["start", *(["scan"] if source else [])]
        self._count_steps(steps, first, channel, source)
        if dice.random() < 0.62:
            self._count_steps(["asked"], first, channel, source)
            steps.append("asked")
            if DAYS - first <= _QUESTION_DAYS:
                self._question(address, channel, language, met)
        if dice.random() < (0.66 if source else 0.5):
            self._count_steps(["guide"], first, channel, source)
            steps.append("guide")
        reported = first + min(int(dice.expovariate(0.45)), 25)
        reports = dice.random() < (0.62 if "guide" in steps else 0.38) and reported < DAYS
        if reports:
            self._count_steps(["reported"], reported, channel, source)
            steps.append("reported")
            self._report(address, district, channel, source, language, reported, met if reported == first else None)
        if dice.random() < 0.5:
            given = self._after(met)
            withdrawn = given + timedelta(days=dice.randint(5, 60)) if dice.random() < 0.08 else None
            withdrawn = withdrawn if withdrawn and withdrawn < self._moment(DAYS - 1, latest=True) else None
            wording = MADE_UP + "Tôi đồng ý nhận lời nhắc."
            year.consents.append(
                (address, ("reminders", wording, stamp(given), stamp(withdrawn) if withdrawn else None))
            )
        if DAYS - first <= _REQUEST_DAYS and dice.random() < 0.02:
            self._request(address, met)
        gone = stamp(self._after(met)) if dice.random() < 0.03 else None
        bits = sum(1 << tallies.STEPS.index(step) for step in steps)
        year.people.append((channel, address, language, source, stamp(met), stamp(met), gone, bits))

    def _report(
        self, address: str, district: str, channel: str, source: str, language: str, day: int, met: datetime | None
    ) -> None:
        """Book a report as the bot would, with the correction or withdrawal that some make later."""
        dice, year = self._dice, self._year
        commune = dice.choice(self._communes[district]) if dice.random() < 0.7 else ""
        at = self._after(met) if met else self._moment(day)
        key = (district, commune, channel, language, source)
        made = self._days[day]
        self._book(key, made, 1)
        year.history.append((address, ("reported", district, commune, stamp(at))))
        wording = MADE_UP + "Tôi đồng ý báo cài."
        later = day + 1 + int(dice.expovariate(0.1))
        change = dice.random()
        if change < 0.03 and later < DAYS:  # lives elsewhere after all
            self._book(key, self._days[later], -1)
            district = dice.choice([d.id for d in self._districts if d.id != district])
            commune = dice.choice(self._communes[district])
            key = (district, commune, channel, language, source)
            self._book(key, self._days[later], 1)
            year.history.append((address, ("corrected", district, commune, stamp(self._moment(later)))))
        elif change > 0.985 and later < DAYS:
            self._book(key, self._days[later], -1)
            withdrawn = stamp(self._moment(later))
            year.history.append((address, ("withdrawn", district, commune, withdrawn)))
            year.consents.append((address, ("report", wording, stamp(at), withdrawn)))
            return
        year.consents.append((address, ("report", wording, stamp(at), None)))
        year.reports.append((address, (district, commune, channel, source, language, made.isoformat(), stamp(at))))

    def _question(self, address: str, channel: str, language: str, at: datetime) -> None:
        dice = self._dice
        if dice.random() < 0.07:
            asked: tuple[object, ...] = (dice.choice(_UNANSWERED), "", "unknown", 0.21, None)
        else:
            text, article = dice.choices(self._asked, self._weights)[0]
            helped = dice.choices((None, 1, 0), (70, 24, 6))[0]
            asked = (text, article, "answer", round(dice.uniform(0.72, 0.99), 2), helped)
        text, article, verdict, score, helped = asked  # type: ignore[assignment]
        row = (channel, language, f"{MADE_UP}{text}", article, verdict, score, helped, stamp(self._after(at)))
        self._year.questions.append((address, row))

    def _request(self, address: str, at: datetime) -> None:
        dice = self._dice
        waits = self._end - at.astimezone(self._zone).date() < timedelta(days=2)
        asked = stamp(at)
        answered = "" if waits else stamp(at + timedelta(hours=dice.randint(2, 30)))
        due = stamp(self._working.due(at, _ANSWER_DAYS))
        row = ("help", "", asked, due, asked if waits else "", answered or asked, answered)
        self._year.talks.append((address, "", row))
        self._year.requests.append((address, "", (f"{MADE_UP}{dice.choice(_REQUESTS)}", asked)))

    def _open_talks(self) -> None:
        """Let a few of those who reported wait for an officer, some too long, and one have an answer."""
        talking = {address for address, _, _ in self._year.talks}
        quiet = [(address, str(row[0])) for address, row in self._year.reports if address not in talking]
        for (address, district), (kind, days, answered) in zip(reversed(quiet), _OPEN_TALKS, strict=False):
            asked = self._moment(DAYS - 1 - days)
            officer = f"{ADDRESS}{OFFICER}-{district}" if answered else ""
            spoke = asked + timedelta(hours=1) if answered else asked
            waits = "" if answered else stamp(asked)
            row = (kind, district, stamp(asked), stamp(self._working.due(asked, _ANSWER_DAYS)), waits, stamp(spoke), "")
            self._year.talks.append((address, officer, row))
            text = _DATA_REQUEST if kind == "data" else self._dice.choice(_REQUESTS)
            self._year.requests.append((address, "", (f"{MADE_UP}{text}", stamp(asked))))
            if answered:
                self._year.requests.append((address, officer, (f"{MADE_UP}{_ANSWER}", stamp(spoke))))

    def _send_to_many(self) -> None:
        """Send the reminders of the year, to a sample of those who asked for them; one more waits for approval."""
        channels = {str(row[1]): (str(row[0]), str(row[2])) for row in self._year.people}
        homes = {address: str(row[0]) for address, row in self._year.reports}
        asked = [(address, str(row[2]), row[3]) for address, row in self._year.consents if row[0] == "reminders"]
        maker = f"{ADDRESS}{OFFICER}"
        for index, day in enumerate(_PUSHES):
            begin = datetime.combine(self._days[day], time(9), self._zone).astimezone(UTC)
            willing = [a for a, given, withdrawn in asked if given < stamp(begin) and not withdrawn]
            reached = self._dice.sample(willing, min(len(willing), _MOST_REMINDED))
            planned: Counter[str] = Counter()
            for address in reached:
                channel, language = channels[address]
                state, reason = self._dice.choices(list(_OUTCOMES), list(_OUTCOMES.values()))[0]
                if channel != "zalo_oa" and state == "over_quota":
                    state, reason = "sent", ""
                planned[channel] += 1
                at = stamp(begin + timedelta(seconds=len(planned)))
                row = (channel, language, homes.get(address, ""), state, reason, at)
                self._year.deliveries.append((index, address, row))
            self._note_broadcast(maker, begin, planned, "done")
        planned = Counter({"zalo_oa": 620, "webchat": 214})
        self._note_broadcast(maker, self._moment(DAYS - 1), planned, "waiting")

    def _note_broadcast(self, maker: str, at: datetime, planned: Counter[str], state: str) -> None:
        done = state == "done"
        plan = {"channels": {name: [people, 0] for name, people in sorted(planned.items())}, "left_out": {}}
        made, end = stamp(at - timedelta(hours=1)), stamp(at + timedelta(minutes=20))
        row = (
            Audience(reports=UNREPORTED).dump(),
            orjson.dumps({"vi": MADE_UP + _REMINDER}).decode(),
            state,
            orjson.dumps(plan).decode(),
            "command line" if done else "",
            stamp(at),
            made,
            end if done else made,
            stamp(at) if done else "",
            end if done else "",
        )
        self._year.broadcasts.append((maker, row))

    def _officials(self) -> None:
        """Add an admin and an officer for the province and for each district, who can sign in to the desk."""
        at = stamp(self._moment(0))
        appointed = ((ADMIN, ""), (OFFICER, ""), *((OFFICER, d.id) for d in self._districts))
        for number, (role, scope) in enumerate(appointed):
            address = ADDRESS + "-".join(filter(None, (role, scope)))
            self._year.people.append(("webchat", address, "vi", "", at, at, None, 0))
            self._year.roles.append((address, (role, scope, at)))
            name = _OFFICER_NAMES[number % len(_OFFICER_NAMES)]
            self._year.officers.append((address, (f"{name} {MADE_UP}".strip(), at)))

    def _book(self, key: tuple[str, str, str, str, str], day: date, change: int) -> None:
        district, commune, channel, language, source = key
        for view, name in zip(tallies.VIEWS, ("", commune, channel, language, source), strict=True):
            for unit, span in _spans(day):
                self._year.tallies[view, unit, span, district, name] += change

    def _count_steps(self, steps: Sequence[str], day: int, channel: str, source: str) -> None:
        for step in steps:
            for unit, span in _spans(self._days[day]):
                self._year.funnel[unit, span, step, channel, source] += 1

    def _moment(self, day: int, *, latest: bool = False) -> datetime:
        hour, minute = (23, 59) if latest else (self._dice.choice(_HOURS), self._dice.randint(0, 59))
        return datetime.combine(self._days[day], time(hour, minute), self._zone).astimezone(UTC)

    def _after(self, at: datetime) -> datetime:
        return at + timedelta(seconds=self._dice.randint(20, 1500))


def _spans(day: date) -> Iterator[tuple[str, str]]:
    text = day.isoformat()
    return zip(("day", "month", "year"), (text, text[:7], text[:4]), strict=True)


def _busyness(number: int, day: date) -> float:
    """Say how many come on a day: slowly more, fewer at weekends and around the new year, many after a reminder."""
    grown = 0.25 + 1 / (1 + math.exp(-(number - 150) / 45))
    pushed = sum(1.6 * math.exp(-(number - push) / 4) for push in _PUSHES if push <= number < push + 20)
    holiday = 0.35 if (day.month, day.day) in ((1, 1), (4, 30), (5, 1), (9, 2)) else 1.0
    return (grown + pushed) * _WEEKDAYS[day.weekday()] * holiday


def _communes(regions: Regions, district: str) -> list[str]:
    old = [commune.code for commune in regions.districts[district].communes]
    new = [f"{NEW_MAP}{c.code}" for c in regions.province.communes_2025 if set(c.origins) == {district}]
    return [*old, *new]
