"""The way out: what a channel can carry, what is repeated and what never, and messages nobody asked for."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.delivery.outbox import ATTEMPTS, Outbox, fit
from bot.errors import DeliveryError, Gone, Rejected, Throttled, Unknown, Unreachable
from bot.message import Attachment, Button, Capabilities, Person, Receipt, Reply
from bot.serialization import dump_reply
from bot.store import Store, Transaction, open_store, people, pushes
from bot.text.markup import escape, to_plain
from bot.text.normalize import utf16_length
from tests.conftest import FrozenClock, Recorder

A, B = Person("recorder", "a"), Person("recorder", "b")
TWO = (Button("Có", "yes:"), Button("Không", "no:"))


@dataclass
class Clockwork:
    """Time that passes only by sleeping; remembers how long was slept."""

    seconds: float = 0.0
    slept: list[float] = field(default_factory=list)

    def __call__(self) -> float:
        return self.seconds

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.seconds += seconds
        await asyncio.sleep(0)


@dataclass
class Moody(Recorder):
    """A platform that answers the next sends with these errors, None for a receipt, and takes all after them."""

    moods: list[DeliveryError | None] = field(default_factory=list)
    tried: list[str] = field(default_factory=list)

    async def send(self, to: Person, reply: Reply, *, answering: str = "") -> Receipt:
        self.tried.append(reply.text)
        mood = self.moods.pop(0) if self.moods else None
        if mood is not None:
            raise mood
        return await Recorder.send(self, to, reply, answering=answering)

    @property
    def texts(self) -> list[str]:
        return [reply.text for _, reply, _ in self.sent]


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[Store]:
    opened = open_store(f"sqlite:///{tmp_path / 'bot.db'}")
    yield opened
    await opened.close()


def outbox(store: Store, clockwork: Clockwork, *channels: Recorder) -> Outbox:
    by_name = {channel.name: channel for channel in channels}
    return Outbox(store, by_name, clock=FrozenClock(), sleep=clockwork.sleep, timer=clockwork)


FITS: list[tuple[str, Reply, Capabilities, list[str]]] = [
    ("as it is", Reply("a", TWO), Capabilities(longest_text=100), ["a"]),
    ("numbered lines", Reply("a", TWO), Capabilities(longest_text=100, buttons=False), ["a\n\n1. Có\n2. Không"]),
    ("choices alone", Reply("", TWO), Capabilities(longest_text=100, buttons=False), ["1. Có\n2. Không"]),
    ("at paragraphs", Reply("một hai\n\nba bốn"), Capabilities(longest_text=8), ["một hai", "ba bốn"]),
    ("at lines", Reply("một hai\nba bốn"), Capabilities(longest_text=8), ["một hai", "ba bốn"]),
    ("at words", Reply("một hai ba"), Capabilities(longest_text=8), ["một hai", "ba"]),
    ("marks do not count", Reply("**một hai**"), Capabilities(longest_text=7), ["**một hai**"]),
    ("utf-16", Reply("😀😀😀"), Capabilities(longest_text=4, measure=utf16_length), ["😀😀", "😀"]),
    ("exactly full", Reply("x" * 10), Capabilities(longest_text=10), ["x" * 10]),
    ("nothing", Reply("", file=Attachment("a", "text/plain", b"x")), Capabilities(longest_text=10), [""]),
]


@pytest.mark.parametrize(("name", "reply", "capabilities", "texts"), FITS, ids=[row[0] for row in FITS])
def test_fit(name: str, reply: Reply, capabilities: Capabilities, texts: list[str]) -> None:
    parts = list(fit(reply, capabilities))
    assert [part.text for part in parts] == texts
    assert parts[-1].buttons == reply.buttons  # below the last part, where the citizen's eye is
    assert parts[-1].file == reply.file
    assert not any(part.buttons or part.file for part in parts[:-1])


def test_numbers_go_on_over_the_replies_to_one_message() -> None:
    capabilities = Capabilities(longest_text=100, buttons=False)
    assert [part.text for part in fit(Reply("b", TWO), capabilities, first=3)] == ["b\n\n3. Có\n4. Không"]


WILD = st.text(max_size=300) | st.lists(
    st.sampled_from(["**đậm**", "chữ thường ", "\n\n", "\n", "[nhãn](https://a.vn)", "https://a.vn/b ", "😀", "**",
                     "\\*", "một hai ba bốn năm sáu bảy "]), max_size=30).map("".join)  # fmt: skip


@given(text=WILD, limit=st.integers(60, 200), buttons=st.booleans())
def test_every_part_fits_and_the_words_stay(text: str, limit: int, *, buttons: bool) -> None:
    capabilities = Capabilities(longest_text=limit, measure=utf16_length, buttons=buttons)
    parts = list(fit(Reply(text, TWO), capabilities))
    assert parts
    for part in parts:
        assert utf16_length(to_plain(part.text)) <= limit
    if "**" not in text and "](" not in text and "\\" not in text:
        kept = "".join("".join(part.text for part in parts).split())
        assert kept.startswith("".join(text.split()))


@given(typed=st.text(max_size=400))
def test_a_citizens_text_stays_harmless_when_it_is_cut(typed: str) -> None:
    from bot.text.markup import spans

    for part in fit(Reply(escape(typed)), Capabilities(longest_text=60)):
        assert not any(span.bold or span.target for span in spans(part.text))


# What the platform answers, one a try → what was tried, how it ends.
Moods = Sequence[DeliveryError | None]
TABLE: list[tuple[str, Moods, list[str], type[DeliveryError] | None]] = [
    ("all well", [None, None], ["one", "two"], None),
    ("throttled once", [Throttled("wait", retry_after=7)], ["one", "one", "two"], None),
    ("away for a moment", [Unreachable("down"), Unreachable("down")], ["one", "one", "one", "two"], None),
    ("away", [Unreachable("down")] * 6, ["one"] * ATTEMPTS, Unreachable),
    ("away for the second", [None, *[Unreachable("down")] * 6], ["one", *["two"] * ATTEMPTS], Unreachable),
    ("gone", [Gone("blocked")], ["one"], None),
    ("gone in between", [None, Gone("blocked")], ["one", "two"], None),
    ("may have arrived", [Unknown("timeout")], ["one", "two"], None),
    ("refused for good", [Rejected("bad")], ["one", "two"], None),
    ("throttled for ever", [Throttled("wait", retry_after=1)] * 6, ["one"] * ATTEMPTS, Unreachable),
]


@pytest.mark.parametrize(("name", "moods", "tried", "ends"), TABLE, ids=[row[0] for row in TABLE])
async def test_what_is_repeated_and_what_never(
    store: Store, name: str, moods: Moods, tried: list[str], ends: type[DeliveryError] | None
) -> None:
    channel, clockwork = Moody(moods=list(moods)), Clockwork()
    work = outbox(store, clockwork, channel).deliver(A, [Reply("one"), Reply("two")], "m1")
    if ends is None:
        await work
    else:
        with pytest.raises(ends):
            await work
    assert channel.tried == tried


async def test_a_platform_that_asks_to_wait_is_waited_for(store: Store) -> None:
    channel, clockwork = Moody(moods=[Throttled("wait", retry_after=7)]), Clockwork()
    await outbox(store, clockwork, channel).deliver(A, [Reply("one")], "m1")
    assert channel.texts == ["one"]
    assert clockwork.seconds >= 7


async def test_a_pause_that_is_too_long_is_not_waited_for(store: Store) -> None:
    channel, clockwork = Moody(moods=[Throttled("wait", retry_after=3600)]), Clockwork()
    with pytest.raises(Unreachable):
        await outbox(store, clockwork, channel).deliver(A, [Reply("one")], "m1")
    assert clockwork.seconds < 120


async def test_pauses_grow_and_are_never_the_same_for_all(store: Store) -> None:
    sums = set()
    for _ in range(5):
        channel, clockwork = Moody(moods=[Unreachable("down")] * 5), Clockwork()
        await outbox(store, clockwork, channel).deliver(A, [Reply("one")], "m1")
        assert len(clockwork.slept) == 5
        assert all(0.25 * 2**n <= pause <= 0.75 * 2**n for n, pause in enumerate(clockwork.slept))
        sums.add(clockwork.seconds)
    assert len(sums) == 5


async def test_who_is_gone_is_noted(store: Store) -> None:
    await store.write(lambda tx: people.remember(tx, A, source="", at=""))
    await outbox(store, Clockwork(), Moody(moods=[Gone("blocked")])).deliver(A, [Reply("one")], "m1")
    rows = await store.read(lambda tx: tx.all("SELECT gone_at FROM people"))
    assert rows[0]["gone_at"] == "2026-11-23T05:00:00.000Z"


async def test_a_channel_that_is_off_keeps_the_message(store: Store) -> None:
    with pytest.raises(Unreachable) as caught:
        await outbox(store, Clockwork()).deliver(A, [Reply("one")])
    assert caught.value.code == "channel-off"


async def test_answers_carry_the_id_they_answer(store: Store) -> None:
    channel = Recorder()
    await outbox(store, Clockwork(), channel).deliver(A, [Reply("one"), Reply("two")], "m1")
    assert [(to, reply.text, answering) for to, reply, answering in channel.sent] == [
        (A, "one", "m1"),
        (A, "two", "m1"),
    ]


def queue(tx: Transaction, person: Person, *texts: str) -> None:
    number = people.remember(tx, person, source="", at="")
    for text in texts:
        pushes.add(tx, number, reply=dump_reply(Reply(text)), at="")


async def waiting(store: Store) -> int:
    return len(await store.read(lambda tx: tx.all("SELECT id FROM pushes")))


async def test_of_several_processes_one_pushes_until_it_gives_that_back(store: Store) -> None:
    one, two = Recorder(), Recorder()
    first, second = outbox(store, Clockwork(), one), outbox(store, Clockwork(), two)
    for number in range(3):
        await store.write(lambda tx, number=number: queue(tx, A, f"a{number}"))  # type: ignore[misc]
        await asyncio.gather(first.send_pushes(), second.send_pushes())
    await second.close()  # what it does not have it cannot give back
    await store.write(lambda tx: queue(tx, A, "a3"))
    await second.send_pushes()
    assert sorted((len(one.sent), len(two.sent))) == [0, 3]
    await first.close()
    await second.send_pushes()
    assert [reply.text for _, reply, _ in one.sent + two.sent] == ["a0", "a1", "a2", "a3"]


async def test_pushes_leave_in_order_and_once(store: Store) -> None:
    channel = Recorder()
    work = outbox(store, Clockwork(), channel)
    await store.write(lambda tx: (queue(tx, A, "a1", "a2"), queue(tx, B, "b1"), queue(tx, A, "a3")))
    await work.send_pushes()
    await work.send_pushes()
    assert [reply.text for to, reply, _ in channel.sent if to == A] == ["a1", "a2", "a3"]
    assert [reply.text for to, reply, _ in channel.sent if to == B] == ["b1"]
    assert await waiting(store) == 0


async def test_an_unreachable_platform_keeps_its_pushes_in_order(store: Store) -> None:
    channel = Moody(moods=[Unreachable("down")] * ATTEMPTS)
    work = outbox(store, Clockwork(), channel)
    await store.write(lambda tx: queue(tx, A, "a1", "a2"))
    await work.send_pushes()
    assert (channel.texts, await waiting(store)) == ([], 2)
    await work.send_pushes()
    assert (channel.texts, await waiting(store)) == (["a1", "a2"], 0)


@pytest.mark.parametrize("mood", [Gone("blocked"), Rejected("bad"), Unknown("timeout")], ids=lambda m: type(m).__name__)
async def test_a_push_that_cannot_be_repeated_does_not_stay(store: Store, mood: DeliveryError) -> None:
    channel = Moody(moods=[mood])
    await store.write(lambda tx: queue(tx, A, "a1"))
    await outbox(store, Clockwork(), channel).send_pushes()
    assert await waiting(store) == 0
    assert len(channel.tried) == 1


async def test_a_channel_that_is_off_does_not_hold_the_others_up(store: Store) -> None:
    channel = Recorder()
    for number in range(60):
        await store.write(lambda tx, n=number: queue(tx, Person("telegram", f"t{n}"), "waits"))
    await store.write(lambda tx: queue(tx, A, "arrives"))
    await outbox(store, Clockwork(), channel).send_pushes()
    assert [reply.text for _, reply, _ in channel.sent] == ["arrives"]
    assert await waiting(store) == 60


async def test_nobody_is_pushed_to_after_erasing(store: Store) -> None:
    channel = Recorder()
    await store.write(lambda tx: (queue(tx, A, "a1"), people.erase(tx, 1)))
    await outbox(store, Clockwork(), channel).send_pushes()
    assert channel.sent == []


SCREEN_NAME = "screen:walk/open/vi"
DRAWN: list[tuple[str, bytes | Exception, bool, bytes | str, str]] = [
    ("drawn", b"PNG", False, b"PNG", "bằng lời"),
    ("by its name", b"PNG", True, SCREEN_NAME, "bằng lời"),
    ("gone", b"", False, b"", ""),
    ("broken", ValueError("no such font"), False, b"", ""),
]


@pytest.mark.parametrize(("about", "picture", "names", "image", "alt"), DRAWN, ids=[row[0] for row in DRAWN])
async def test_a_screen_is_drawn_where_the_channel_needs_bytes(
    store: Store, about: str, picture: bytes | Exception, names: bool, image: bytes | str, alt: str
) -> None:
    def draw(name: str) -> bytes:
        assert name == SCREEN_NAME
        if isinstance(picture, Exception):
            raise picture
        return picture

    channel = Recorder(capabilities=Capabilities(longest_text=100, names_screens=names))
    box = Outbox(store, {"recorder": channel}, clock=FrozenClock(), draw=draw)
    await box.deliver(A, [Reply("bước 1", TWO, SCREEN_NAME, "bằng lời")], "m")
    ((_, reply, _),) = channel.sent
    assert (reply.text, reply.buttons, reply.image, reply.alt) == ("bước 1", TWO, image, alt)
