"""Messages to many people from the desk: planned, approved, sent, paused and stopped, by two officers at once too."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator

import pytest
from aiohttp import ClientResponse
from aiohttp.test_utils import TestClient, TestServer

from bot.broadcasts import Actor
from bot.runtime.build import Service
from bot.serialization import load_reply
from bot.settings import Settings
from bot.store import Transaction
from bot.store.audiences import Audience
from bot.text.markup import spans, to_plain
from bot.web.app import make_app
from tests.conftest import FrozenClock, Recorder
from tests.support.broadcasts import add_person, hurry, sending_bot, settled, state_of
from tests.web.desk.test_desk import EVIL, Client, sign_in, token

TEXT = "Mời bạn cài ứng dụng tại {district}."


@pytest.fixture
async def bot(
    settings: Settings, clock: FrozenClock, recorder: Recorder, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Service]:
    """A bot that sends; more than two messages need a second officer."""
    hurry(monkeypatch)
    reminders = settings.reminders.model_copy(update={"approve_above": 2})
    settings = settings.model_copy(update={"reminders": reminders})
    async with sending_bot(settings, clock, recorder) as service:
        yield service


@pytest.fixture
async def client(bot: Service) -> AsyncIterator[Client]:
    async with TestClient(TestServer(make_app(bot))) as opened:
        yield opened


@pytest.fixture
async def colleague(bot: Service) -> AsyncIterator[Client]:
    """A second browser."""
    async with TestClient(TestServer(make_app(bot))) as opened:
        yield opened


async def post(client: Client, address: str, **form: str | list[str]) -> ClientResponse:
    fields = [("token", await token(client))]
    for name, value in form.items():
        fields += [(name.replace("_", "-"), one) for one in ([value] if isinstance(value, str) else value)]
    return await client.post(f"/desk/{address}", data=fields, allow_redirects=False)


async def page(client: Client, number: int, part: str = "") -> str:
    return await (await client.get(f"/desk/broadcasts/{number}{part}")).text()


async def people(bot: Service, count: int, district: str = "yen-lac") -> None:
    for number in range(count):
        await bot.store.write(lambda tx, n=number: add_person(tx, f"{district}-{n}", district=district))  # type: ignore[misc]


async def planned(client: Client, *districts: str) -> int:
    """Draft, aim, write and count on the pages; returns the number."""
    address = (await post(client, "broadcasts")).headers["Location"].removeprefix("/desk/")
    assert (await post(client, f"{address}/draft", district=list(districts), reports="any")).status == 303
    assert (await post(client, f"{address}/plan", text_vi=TEXT, text_en="")).status == 303
    return int(address.rpartition("/")[2])


async def ask(client: Client, number: int, **form: str) -> ClientResponse:
    """Fill in the form that says when; nothing leaves by it."""
    seen = re.search(r'name="seen" value="([^"]+)"', await page(client, number))
    assert seen is not None
    return await post(client, f"broadcasts/{number}/release", seen=seen[1], **{"when": "now", **form})


async def release(client: Client, number: int, **form: str) -> ClientResponse:
    """Say when, and yes to what is asked then."""
    asked = await ask(client, number, **form)
    if asked.status != 200:
        return asked
    fields = dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)">', await asked.text()))
    return await client.post(f"/desk/broadcasts/{number}/release", data=fields, allow_redirects=False)


def got(recorder: Recorder) -> list[str]:
    return sorted(to.address for to, _, _ in recorder.sent)


async def test_a_message_goes_from_the_draft_to_the_report(client: Client, bot: Service, recorder: Recorder) -> None:
    await people(bot, 2)
    await people(bot, 1, "vinh-tuong")
    person = await sign_in(client, bot, "admin")
    number = await planned(client, "yen-lac")
    shown = await page(client, number)
    assert "Mời bạn cài ứng dụng tại huyện Yên Lạc." in shown
    assert "bạn gõ DUNG" in shown
    assert "Gửi cho 2 người" in shown
    tested = await post(client, f"broadcasts/{number}/test")
    assert tested.headers["Location"] == f"/desk/broadcasts/{number}?said=tested"
    async with asyncio.timeout(5):
        while not (mine := await bot.store.read(lambda tx: tx.all("SELECT reply FROM chat_events"))):  # noqa: ASYNC110
            await asyncio.sleep(0.01)
    assert to_plain(load_reply(mine[0]["reply"]).text).startswith("Mời bạn cài ứng dụng tại huyện Yên Lạc.")
    assert got(recorder) == []
    assert (await release(client, number)).status == 303
    assert await settled(bot, number) == "done"
    assert got(recorder) == ["yen-lac-0", "yen-lac-1"]
    report = await page(client, number)
    assert "Đã gửi" in report
    assert re.search(r'Đã gửi</th><td class="n">2</td>', report)
    assert "Báo đã cài trong 72 giờ" in report
    assert re.findall(r"<script[^>]*>", report) == ['<script src="/static/desk.js?v=0.1.0" defer>']
    assert "Đợt gửi số" in await (await client.get("/desk/broadcasts")).text()
    rows = await bot.store.read(lambda tx: tx.all("SELECT actor, action FROM audit WHERE action LIKE 'broadcast-%'"))
    assert [row["action"].removeprefix("broadcast-") for row in rows] == ["draft", "plan", "test", "send", "begin"]
    assert {row["actor"] for row in rows} == {f"person {person}"}


async def test_a_second_officer_approves_once_and_not_the_one_who_made_it(
    client: Client, colleague: Client, bot: Service, recorder: Recorder
) -> None:
    await people(bot, 3)
    await sign_in(client, bot, "officer", "yen-lac")
    await sign_in(colleague, bot, "officer", "")
    number = await planned(client)  # nothing ticked: the own districts
    assert "phải được một cán bộ khác duyệt" in await page(client, number)
    await release(client, number)
    assert await state_of(bot.store, number) == "waiting"
    own = await post(client, f"broadcasts/{number}/approve")
    assert own.status == 409
    pressed = await asyncio.gather(*(post(colleague, f"broadcasts/{number}/approve") for _ in range(2)))
    assert sorted(response.status for response in pressed) == [303, 409]
    await settled(bot, number)
    assert len(got(recorder)) == 3


async def test_what_a_colleague_changed_is_not_sent_unseen(
    client: Client, colleague: Client, bot: Service, recorder: Recorder
) -> None:
    await people(bot, 1)
    await sign_in(client, bot, "officer", "yen-lac")
    await sign_in(colleague, bot, "officer", "")
    number = await planned(client)
    seen = re.search(r'name="seen" value="([^"]+)"', await page(client, number))
    assert seen is not None
    await post(colleague, f"broadcasts/{number}/draft", text_vi="Một câu khác.")
    await post(colleague, f"broadcasts/{number}/plan")
    asked = {"seen": seen[1], "when": "now", "sure": "now"}
    refused = await post(client, f"broadcasts/{number}/release", **asked)
    assert refused.status == 409
    assert "Không làm được nữa" in await refused.text()
    assert await state_of(bot.store, number) == "planned"
    assert got(recorder) == []


async def test_scheduled_paused_resumed_and_stopped(client: Client, bot: Service, recorder: Recorder) -> None:
    await people(bot, 1)
    await sign_in(client, bot, "admin")
    number = await planned(client, "yen-lac")
    await release(client, number, when="later", at="2026-11-24T09:00", weekly="1", until="2026-12-31")
    shown = await page(client, number)
    assert "09:00, 24/11/2026" in shown
    assert "31/12/2026" in shown
    assert '<script src="/static/desk.js' in shown
    fragment = await page(client, number, "/progress")
    assert 'data-state="scheduled"' in fragment
    assert "<html" not in fragment
    for action, state in (("pause", "paused"), ("resume", "scheduled"), ("stop", "stopped")):
        await post(client, f"broadcasts/{number}/{action}")
        assert await state_of(bot.store, number) == state
    late = await post(client, f"broadcasts/{number}/resume")
    assert late.status == 409
    assert "Không làm được nữa" in await late.text()
    assert got(recorder) == []


async def test_looking_on_keeps_no_session_alive(client: Client, bot: Service, clock: FrozenClock) -> None:
    await sign_in(client, bot, "officer", "yen-lac")
    number = await bot.broadcasts.draft(Actor(), Audience(districts=("yen-lac",)))
    for _ in range(3):
        clock.forward(minutes=25)
        status = (await client.get(f"/desk/broadcasts/{number}/progress")).status
    assert status == 401


async def test_texts_are_shown_as_typed_and_secrets_refused(client: Client, bot: Service) -> None:
    await people(bot, 1)
    await sign_in(client, bot, "officer", "yen-lac")
    number = await planned(client)
    await post(client, f"broadcasts/{number}/draft", text_vi=f"{EVIL} **x** [a](https://evil.example)")
    shown = await page(client, number)
    assert "&lt;script&gt;" in shown
    assert "Có đường dẫn không thuộc các trang chính thức: evil.example." in shown
    assert not re.search(r"<script>|<img|<b>x|href=.https://evil", shown)
    refused = await post(client, f"broadcasts/{number}/draft", text_vi="mật khẩu là Abc@12345")
    assert refused.status == 409
    assert "mật khẩu là Abc@12345</textarea>" in await refused.text()
    braces = await post(client, f"broadcasts/{number}/draft", text_vi="Chào {ai}")
    assert braces.status == 409
    unchecked = await post(client, f"broadcasts/{number}/ready", ready="install-app")
    assert unchecked.status == 409
    assert (await post(client, f"broadcasts/{number}/ready", ready="install-app", confirmed="1")).status == 303
    ready = await bot.broadcasts.find(Actor(), number)
    assert await post(client, f"broadcasts/{number}/plan", text_vi=ready.texts["vi"], text_en=ready.texts["en"])
    assert (await bot.broadcasts.find(Actor(), number)).ready == "install-app"  # kept as it was taken
    await post(client, f"broadcasts/{number}/draft", text_vi="Khác", text_en=ready.texts["en"])
    changed = await bot.broadcasts.find(Actor(), number)
    assert (changed.ready, dict(changed.texts)) == ("", {"vi": "Khác", "en": ready.texts["en"]})
    assert "Phần English vẫn là mẫu “Ứng dụng năm 2021: xem lại chứng nhận tiêm”" in await page(client, number)


async def test_an_officer_aims_at_the_own_districts_only_and_sees_coarse_numbers(client: Client, bot: Service) -> None:
    await people(bot, 3)
    await people(bot, 7, "vinh-tuong")
    await sign_in(client, bot, "officer", "yen-lac")
    number = await planned(client)
    for wanted in (["vinh-tuong"], ["yen-lac", "vinh-tuong"], ["nowhere"]):
        assert (await post(client, f"broadcasts/{number}/draft", district=wanted, reports="any")).status == 409
    wrong = await post(client, f"broadcasts/{number}/draft", district=["yen-lac"], reports="any", source="ZZ99X")
    assert wrong.status == 409
    await post(client, f"broadcasts/{number}/draft", reports="any", source="yl24")
    shown = await page(client, number)
    assert "huyện Yên Lạc" in shown
    assert "Vĩnh Tường" not in shown
    await post(client, f"broadcasts/{number}/draft", reports="any")
    await post(client, f"broadcasts/{number}/plan")
    shown = await page(client, number)
    assert "Gửi cho dưới 10 người" in shown
    assert not re.search(r'<td class="n">(<strong>)?3<', shown)


async def test_a_ready_text_is_taken_without_losing_anything(client: Client, bot: Service) -> None:
    await sign_in(client, bot, "admin")
    address = (await post(client, "broadcasts")).headers["Location"].removeprefix("/desk/")
    number = int(address.rpartition("/")[2])
    whom = {"district": ["yen-lac", "vinh-tuong"], "reports": "unreported", "channel": "webchat", "source": "yl22"}
    refused = await post(client, f"{address}/ready", **whom, text_vi="Tôi tự viết.", text_en="", ready="beware-scam")
    shown = await refused.text()
    assert refused.status == 409
    assert "Nội dung bạn tự viết sẽ bị mất" in shown
    assert "Tôi tự viết.</textarea>" in shown
    kept = (await bot.broadcasts.find(Actor(), number)).audience
    assert (kept.districts, kept.reports, kept.source) == (("yen-lac", "vinh-tuong"), "unreported", "YL22")
    taken = await post(client, f"{address}/ready", **whom, text_vi="Tôi tự viết.", ready="beware-scam", replace="1")
    assert taken.status == 303
    found = await bot.broadcasts.find(Actor(), number)
    assert (found.ready, found.audience) == ("beware-scam", kept)
    other = await post(client, f"{address}/ready", **whom, text_vi=found.texts["vi"], text_en=found.texts["en"],
                       ready="install-app", confirmed="1")  # fmt: skip
    assert other.status == 303  # words of another ready text are no own words
    assert (await bot.broadcasts.find(Actor(), number)).ready == "install-app"


async def test_official_addresses_become_links_and_others_do_not(
    client: Client, bot: Service, recorder: Recorder
) -> None:
    await people(bot, 1)
    await sign_in(client, bot, "admin")
    number = await planned(client, "yen-lac")
    text = "Xem https://vneid.gov.vn/huong-dan, soyte.vinhphuc.gov.vn và bit.ly/x."
    await post(client, f"broadcasts/{number}/plan", text_vi=text)
    shown = await page(client, number)
    assert "Bấm được: https://vneid.gov.vn/huong-dan, soyte.vinhphuc.gov.vn</p>" in shown
    assert "không thuộc các trang chính thức: bit.ly." in shown
    links = ["https://vneid.gov.vn/huong-dan", "https://soyte.vinhphuc.gov.vn"]
    assert list(dict.fromkeys(re.findall(r'href="(https?:[^"]+)"', shown))) == links
    assert (await release(client, number)).status == 303
    await settled(bot, number)
    (sent,) = [reply.text for to, reply, _ in recorder.sent]
    assert [span.target for span in spans(sent) if span.target] == links


async def test_communes_of_several_districts(client: Client, bot: Service, recorder: Recorder) -> None:
    await sign_in(client, bot, "admin")
    known = {district: bot.regions.districts[district].communes for district in ("yen-lac", "vinh-tuong")}
    two, one = [known["yen-lac"][n].code for n in (0, 1)], known["vinh-tuong"][0].code

    def fill(tx: Transaction) -> None:
        for name, district, commune in (
            ("a", "yen-lac", two[0]), ("b", "yen-lac", two[1]), ("c", "yen-lac", known["yen-lac"][2].code),
            ("d", "vinh-tuong", one), ("e", "vinh-tuong", ""), ("f", "tam-dao", ""),
        ):  # fmt: skip
            add_person(tx, name, district=district, commune=commune)

    await bot.store.write(fill)
    address = (await post(client, "broadcasts")).headers["Location"].removeprefix("/desk/")
    districts = ["yen-lac", "vinh-tuong", "tam-dao"]
    communes = [*(f"yen-lac/{code}" for code in two), f"vinh-tuong/{one}"]
    assert (await post(client, f"{address}/draft", district=districts, reports="any")).status == 303
    form = {"district": districts, "commune": communes, "reports": "any", "text_vi": TEXT}
    assert (await post(client, f"{address}/plan", **form)).status == 303
    number = int(address.rpartition("/")[2])
    shown = await page(client, number)
    assert "Gửi cho 4 người" in shown
    names = ", ".join(known["yen-lac"][n].name for n in (0, 1))
    assert names.split(",")[0] in shown
    assert "(từ tháng 7/2025)" in shown
    assert "(trước tháng 7/2025)" in shown
    assert len(re.findall(r'name="commune" value="[^"]+" checked', shown)) == 3
    await release(client, number)
    await bot.broadcasts.approve(Actor(), number)
    await settled(bot, number)
    assert got(recorder) == ["a", "b", "d", "f"]
