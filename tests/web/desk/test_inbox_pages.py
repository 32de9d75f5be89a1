"""The desk's inbox: talks read, taken, answered, handed over and closed, also by two officers at once."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator

import pytest
from aiohttp import ClientResponse
from aiohttp.test_utils import TestClient, TestServer

from bot.helpdesk.cases import LONGEST
from bot.runtime.build import Service
from bot.text.markup import to_plain
from bot.web.app import make_app
from tests.conftest import ON_BOTH_ENGINES, FrozenClock, Recorder
from tests.web.desk.test_desk import EVIL, Client, asked, client, sign_in, token

__all__ = ["client"]  # a fixture

pytestmark = ON_BOTH_ENGINES


@pytest.fixture
async def colleague(service: Service) -> AsyncIterator[Client]:
    """A second browser."""
    async with TestClient(TestServer(make_app(service))) as opened:
        yield opened


async def post(client: Client, address: str, **form: str) -> ClientResponse:
    form = {"token": await token(client), **form}
    return await client.post(f"/desk/{address}", data=form, allow_redirects=False)


async def seen(client: Client, number: int) -> str:
    """Open a talk and return what its form says was read."""
    text = await (await client.get(f"/desk/inbox/{number}")).text()
    return "".join(re.findall(r'name="seen" value="(\d+)"', text))


async def heard(service: Service, recorder: Recorder, address: str) -> list[str]:
    """Return what reached somebody, as read."""
    await service.outbox.send_pushes()
    return [to_plain(reply.text) for to, reply, _ in recorder.sent if to.address == address]


async def audit(service: Service) -> list[str]:
    rows = await service.store.read(lambda tx: tx.all("SELECT action, detail FROM audit ORDER BY id"))
    return [f"{row['action']} {row['detail']}" for row in rows if "message" in row["detail"]]


async def test_a_talk_is_taken_answered_and_closed_and_each_step_stands_in_the_audit(
    client: Client, service: Service, recorder: Recorder
) -> None:
    number = await asked(service, "citizen", "yen-lac")
    await sign_in(client, service, "officer", "yen-lac")
    listed = await (await client.get("/desk/inbox")).text()
    assert "1 tin nhắn đang chờ trả lời, trong đó 0 tin quá hạn" in listed
    assert "máy bị treo" not in listed  # reading is opening
    assert await audit(service) == []
    assert "Nhận và trả lời" in await (await client.get(f"/desk/inbox/{number}")).text()
    assert (await post(client, f"inbox/{number}/take")).headers["Location"] == f"/desk/inbox/{number}"
    read = await seen(client, number)
    said = "Bạn thử tắt máy.\r\nRồi bật lại ạ."
    assert (await post(client, f"inbox/{number}/answer", seen=read, text=said)).status == 303
    assert (await heard(service, recorder, "citizen"))[-1] == (
        "Cán bộ trả lời câu hỏi của bạn:\nBạn thử tắt máy.\nRồi bật lại ạ."
    )
    assert "Hiện người dân không chờ" in await (await client.get(f"/desk/inbox/{number}")).text()
    assert (await post(client, f"inbox/{number}/close")).headers["Location"] == "/desk/inbox"
    assert "lại trả lời bạn" in (await heard(service, recorder, "citizen"))[-1]
    assert "Mở lại để trả lời" in await (await client.get(f"/desk/inbox/{number}")).text()
    steps = [line.split(" message")[0] for line in await audit(service)]
    assert [step for step in steps if step != "read"] == ["take", "answer", "close"]
    assert steps.count("read") == 4


async def test_an_answer_is_sent_once_however_often_the_button_is_pressed(
    client: Client, service: Service, recorder: Recorder
) -> None:
    number = await asked(service, "citizen")
    await sign_in(client, service, "officer")
    await post(client, f"inbox/{number}/take")
    read = await seen(client, number)
    pressed = [post(client, f"inbox/{number}/answer", seen=read, text="Chào bạn.") for _ in range(3)]
    assert [response.status for response in await asyncio.gather(*pressed)] == [303, 303, 303]
    assert await heard(service, recorder, "citizen") == ["Cán bộ trả lời câu hỏi của bạn:\nChào bạn."]
    again = await seen(client, number)
    await post(client, f"inbox/{number}/answer", seen=again, text="Chào bạn.")  # said once more on purpose
    assert len(await heard(service, recorder, "citizen")) == 2


async def test_of_two_officers_the_slower_is_told_and_loses_no_words(
    client: Client, colleague: Client, service: Service, recorder: Recorder
) -> None:
    number = await asked(service, "citizen", "yen-lac")
    first = await sign_in(client, service, "officer", "yen-lac")
    await sign_in(colleague, service, "officer", "")
    taken = await asyncio.gather(*(post(one, f"inbox/{number}/take") for one in (client, colleague)))
    assert sorted(response.status for response in taken) == [303, 409]
    slower = next(response for response in taken if response.status == 409)
    assert "Đồng nghiệp đã nhận tin nhắn này rồi" in await slower.text()
    await post(colleague, f"inbox/{number}/take", over="1")
    refused = await post(client, f"inbox/{number}/answer", text="Bạn mang máy ra xã nhé.")
    text = await refused.text()
    assert refused.status == 409
    assert "Đồng nghiệp đã nhận tin nhắn này rồi" in text
    assert "Bạn mang máy ra xã nhé.</textarea>" in text
    assert await heard(service, recorder, "citizen") == []
    goal = f"yen-lac:{first}"
    assert (await post(colleague, f"inbox/{number}/hand-over", to=goal, sure="1")).status == 303
    assert "Bạn đang xử lý." in await (await client.get(f"/desk/inbox/{number}")).text()


async def test_what_the_citizen_writes_meanwhile_is_read_before_the_answer_leaves(
    client: Client, service: Service, recorder: Recorder
) -> None:
    number = await asked(service, "citizen")
    await sign_in(client, service, "officer")
    await post(client, f"inbox/{number}/take")
    read = await seen(client, number)
    await asked(service, "citizen", text="à thôi, được rồi ạ")
    refused = await post(client, f"inbox/{number}/answer", seen=read, text="Bạn khởi động lại máy.")
    text = await refused.text()
    assert refused.status == 409
    assert "Người dân vừa viết thêm" in text
    assert "à thôi, được rồi ạ" in text
    assert "Bạn khởi động lại máy.</textarea>" in text
    assert await heard(service, recorder, "citizen") == []


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "Bạn chưa viết câu trả lời"),
        (" \r\n ", "Bạn chưa viết câu trả lời"),
        ("mật khẩu là Abc@12345", "có mật khẩu, mã xác nhận"),
        ("số căn cước 026091001234", "có mật khẩu, mã xác nhận"),
    ],
)
async def test_an_answer_that_must_not_leave(
    client: Client, service: Service, recorder: Recorder, text: str, sentence: str
) -> None:
    number = await asked(service, "citizen")
    await sign_in(client, service, "officer")
    await post(client, f"inbox/{number}/take")
    response = await post(client, f"inbox/{number}/answer", text=text)
    assert response.status == 400
    assert sentence in await response.text()
    assert await heard(service, recorder, "citizen") == []


async def test_words_of_citizens_and_officers_become_no_markup(
    client: Client, service: Service, recorder: Recorder
) -> None:
    wild = f"{EVIL} **đậm** [x](https://evil.example) \u202e{{{{ 7*7 }}}} {'á' * 300}"
    number = await asked(service, "citizen", text=wild)
    await sign_in(client, service, "officer")
    await post(client, f"inbox/{number}/take")
    await post(client, f"inbox/{number}/answer", seen=await seen(client, number), text="[x](https://e.example) **b**")
    page = await (await client.get(f"/desk/inbox/{number}")).text()
    assert "&lt;script&gt;" in page
    assert "{{ 7*7 }}" in page
    assert not re.search(r"<script(?! src=\"/static/desk)|<img|<b>|evil.example\"", page)
    (said,) = await heard(service, recorder, "citizen")
    assert said.splitlines()[1].replace("\u200b", "") == "[x](https://e.example) **b**"


async def test_overdue_talks_are_marked_and_long_answers_are_cut_where_the_page_says_so(
    client: Client, service: Service, recorder: Recorder, clock: FrozenClock
) -> None:
    number = await asked(service, "citizen")
    clock.forward(days=10)
    await sign_in(client, service, "officer")
    listed = await (await client.get("/desk/inbox")).text()
    assert "trong đó 1 tin quá hạn" in listed
    assert "quá hạn từ" in listed
    await post(client, f"inbox/{number}/take")
    assert f'maxlength="{LONGEST}"' in await (await client.get(f"/desk/inbox/{number}")).text()
