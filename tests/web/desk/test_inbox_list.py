"""The inbox as a list: searched and filtered within the own places, counted, refused where a filter is none."""

from __future__ import annotations

import re

import pytest

from bot.helpdesk.listing import MINE
from bot.runtime.build import Service
from tests.conftest import ON_BOTH_ENGINES, FrozenClock
from tests.web.desk.test_desk import Client, asked, client, sign_in
from tests.web.desk.test_inbox_pages import audit, post

__all__ = ["client"]  # a fixture

pytestmark = ON_BOTH_ENGINES
HUGE = "9" * 400


async def listed(client: Client, **query: str) -> list[int]:
    """Return the numbers of the messages that a list shows, in their order."""
    response = await client.get("/desk/inbox", params=query)
    assert response.status == 200, query
    return [int(number) for number in re.findall(r'href="/desk/inbox/(\d+)" data-case', await response.text())]


@pytest.fixture
async def three(client: Client, service: Service, clock: FrozenClock) -> int:
    """An officer of the province with three messages: 1 waits, 2 is in their hand and answered, 3 was closed."""
    await asked(service, "a", "yen-lac", text="Máy Oppo bị treo")
    await asked(service, "b", "song-lo", text="quên mật khẩu VNeID")
    await asked(service, "c", text="hỏi về thẻ BHYT")
    person = await sign_in(client, service, "officer")
    for number in (2, 3):
        await post(client, f"inbox/{number}/take")
        await post(client, f"inbox/{number}/answer", seen="99", text="Bạn ra xã nhé.")
    await post(client, f"inbox/{3}/close")
    await post(client, "inbox/1/label", label="máy treo")
    await post(client, "inbox/2/note", **{"text-note": "Đã gọi công an xã Đồng Thịnh"})
    return person


FOUND: list[tuple[dict[str, str], list[int]]] = [
    ({}, [1, 2]),
    ({"state": "waiting"}, [1]),
    ({"state": "overdue"}, []),
    ({"state": "mine"}, [2]),
    ({"state": "closed"}, [3]),
    ({"state": "all"}, [1, 2, 3]),
    ({"q": "may treo"}, [1]),
    ({"q": "OPPO máy"}, [1]),
    ({"q": "thẻ"}, [3]),
    ({"q": "ra xã"}, [2, 3]),
    ({"q": "dong thinh"}, [2]),
    ({"q": "số 3"}, [3]),
    ({"q": "2"}, [2]),
    ({"q": "không có gì"}, []),
    ({"q": "%"}, []),
    ({"district": "song-lo"}, [2]),
    ({"district": "none", "state": "all"}, [3]),
    ({"channel": "recorder"}, [1, 2]),
    ({"channel": "webchat"}, []),
    ({"label": "máy treo"}, [1]),
    ({"days": "7"}, [1, 2]),
    ({"from": "50"}, [1, 2]),
    ({"from": HUGE}, [1, 2]),
]


async def test_messages_are_found_by_words_and_filters(client: Client, service: Service, three: int) -> None:
    for query, expected in FOUND:
        assert await listed(client, **query) == expected, query
    assert await listed(client, officer=str(three)) == [2]
    searches = [line for line in await audit(service) if line.startswith("search")]
    assert len(searches) == len([query for query, _ in FOUND if "q" in query])
    assert "search messages 2" in searches
    assert not any("treo" in line for line in await audit(service))


async def test_days_and_overdue_go_by_the_clock(
    client: Client, service: Service, three: int, clock: FrozenClock
) -> None:
    clock.forward(days=8)
    await service.sweep()  # what was answered has ended
    await sign_in(client, service, "officer")
    assert await listed(client, days="7") == []
    assert await listed(client, days="30") == [1]
    assert await listed(client, state="overdue") == [1]


REFUSED: list[dict[str, str]] = [
    {"state": "soon"},
    {"state": HUGE},
    {"district": "ha-noi"},
    {"district": HUGE},
    {"channel": "pigeon"},
    {"officer": "999999"},
    {"officer": "x"},
    {"officer": HUGE},
    {"label": "nobody put it on"},
    {"days": "8"},
    {"days": "-1"},
    {"q": "x" * 101},
]


async def test_a_filter_that_is_none_is_refused_with_a_sentence(client: Client, service: Service) -> None:
    await sign_in(client, service, "officer")
    for query in REFUSED:
        response = await client.get("/desk/inbox", params=query)
        shown = await response.text()
        assert response.status == 400, query
        assert "Lựa chọn này không còn" in shown or "Từ cần tìm dài quá" in shown, query


async def test_an_officer_of_a_district_finds_nothing_of_others(client: Client, service: Service, three: int) -> None:
    await sign_in(client, service, "officer", "yen-lac")
    assert await listed(client, state="all") == [1]
    for words in ("mật khẩu", "2", "dong thinh"):
        assert await listed(client, q=words) == []
    await service.store.write(lambda tx: tx.run("UPDATE case_labels SET conversation_id = 2"))
    assert "máy treo" not in await (await client.get("/desk/inbox")).text()
    for district in ("song-lo", "none"):
        assert (await client.get("/desk/inbox", params={"district": district})).status == 400


async def test_counters_stand_in_the_navigation_the_title_and_on_today(
    client: Client, service: Service, three: int, clock: FrozenClock
) -> None:
    counted = await (await client.get("/desk/inbox/counters")).json()
    assert counted == {"waiting": 1, "overdue": 0, MINE: 1, "to_answer": 1}
    today = await (await client.get("/desk/")).text()
    assert "<title>(1) Hôm nay" in today
    assert 'Quá hạn: <b data-count="overdue">0</b>' in today
    await post(client, "inbox/1/take")
    await sign_in(client, service, "admin")
    assert await (await client.get("/desk/inbox/counters")).json() == {
        "waiting": 1, "overdue": 0, "mine": 0, "to_answer": 0}  # fmt: skip
    assert "<title>Hôm nay" in await (await client.get("/desk/")).text()


async def test_counting_keeps_no_session_alive(client: Client, service: Service, clock: FrozenClock) -> None:
    await sign_in(client, service, "officer")
    for _ in range(3):
        clock.forward(minutes=25)
        answered = (await client.get("/desk/inbox/counters")).status
    assert answered == 401


async def test_a_long_list_has_pages(client: Client, service: Service) -> None:
    for number in range(53):
        await asked(service, f"citizen-{number}", "yen-lac")
    await sign_in(client, service, "officer", "yen-lac")
    assert await listed(client) == list(range(1, 51))
    assert await listed(client, **{"from": "50"}) == [51, 52, 53]
    assert "Trang trước" in await (await client.get("/desk/inbox?from=50")).text()


async def test_the_desk_installs_as_a_web_app(client: Client, service: Service) -> None:
    described = await client.get("/desk/app.webmanifest")
    assert described.status == 200
    assert described.content_type == "application/manifest+json"
    told = await described.json()
    assert (told["short_name"], told["start_url"], told["display"]) == ("Bàn làm việc", "/desk/", "standalone")
    for icon in told["icons"]:
        drawn = await client.get(icon["src"])
        assert (drawn.status, drawn.content_type) == (200, icon["type"])
    await sign_in(client, service, "officer")
    page = await client.get("/desk/")
    assert 'rel="manifest" href="/desk/app.webmanifest"' in await page.text()
    assert "manifest-src 'self'" in page.headers["Content-Security-Policy"]


async def test_how_well_we_answer_is_shown_for_the_own_places(client: Client, service: Service, three: int) -> None:
    shown = await (await client.get("/desk/inbox/answering")).text()
    assert "huyện Sông Lô" in shown
    await sign_in(client, service, "officer", "yen-lac")
    shown = await (await client.get("/desk/inbox/answering")).text()
    assert "huyện Yên Lạc" in shown
    assert "Sông Lô" not in shown
