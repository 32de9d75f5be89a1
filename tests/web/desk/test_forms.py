"""Every form of the desk, filled in with what contradicts itself, is empty, huge, over, or of somewhere else.

Nothing of it is done, a sentence says why, and what was typed is still there.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

import pytest
from aiohttp import ClientResponse

from bot.broadcasts import Actor
from bot.runtime.build import Service
from bot.store.audiences import Audience
from tests.conftest import FrozenClock
from tests.support.broadcasts import add_person
from tests.web.desk.test_desk import Client, client, sign_in, token

__all__ = ["client"]  # a fixture

HUGE = "9" * 400
Fields = dict[str, str | list[str]]


@dataclass(frozen=True)
class Filled:
    """A form as it was filled in, the status it is answered with, and words of the answer."""

    form: Fields
    said: str
    status: int = 409
    kept: tuple[str, ...] = field(default=())


async def fill(client: Client, address: str, form: Fields) -> ClientResponse:
    fields = [("token", await token(client))]
    for name, value in form.items():
        fields += [(name, one) for one in ([value] if isinstance(value, str) else value)]
    return await client.post(f"/desk/{address}", data=fields, allow_redirects=False)


# -- when a broadcast is sent ------------------------------------------------------------------------------------

LATER = {"when": "later", "at": "2026-11-24T09:00"}
WHEN: dict[str, Filled] = {
    "nothing": Filled({}, "Bạn chưa chọn gửi lúc nào"),
    "an unknown choice": Filled({"when": "soon"}, "Bạn chưa chọn gửi lúc nào"),
    "now and at a time": Filled(
        {"when": "now", "at": "2026-11-24T09:00"}, "nhưng lại điền ngày giờ", kept=('value="2026-11-24T09:00"',)
    ),
    "later without a time": Filled({"when": "later"}, "nhưng chưa điền ngày giờ"),
    "later with spaces": Filled({"when": "later", "at": "  "}, "nhưng chưa điền ngày giờ"),
    "a last day without every week": Filled(
        {**LATER, "until": "2026-12-31"}, "chưa đánh dấu “hằng tuần”", kept=('value="2026-12-31"',)
    ),
    "every week without a last day": Filled({**LATER, "weekly": "1"}, "nhưng chưa điền ngày cuối"),
    "a last day before the first": Filled(
        {**LATER, "weekly": "1", "until": "2026-11-23"}, "Ngày kết thúc sớm hơn lần gửi đầu tiên"
    ),
    "no time": Filled({"when": "later", "at": "mai"}, "không đọc được ngày giờ"),
    "a day without an hour": Filled({"when": "later", "at": "2026-11-24"}, "không đọc được ngày giờ"),
    "a foreign time zone": Filled({"when": "later", "at": "2026-11-24T09:00+09:00"}, "không đọc được ngày giờ"),
    "a month that there is not": Filled({"when": "later", "at": "2026-13-01T09:00"}, "không đọc được ngày giờ"),
    "a huge time": Filled({"when": "later", "at": HUGE}, "không đọc được ngày giờ"),
    "the last time there is": Filled({"when": "later", "at": "9999-12-31T23:59"}, "hơn hai năm nữa"),
    "the first time there is": Filled({"when": "later", "at": "0001-01-01T00:00"}, "không đọc được ngày giờ"),
    "yesterday": Filled({"when": "later", "at": "2026-11-22T09:00"}, "Thời điểm này đã qua"),
    "a wrong century": Filled({"when": "later", "at": "2126-11-24T09:00"}, "hơn hai năm nữa"),
    "a last day in a wrong century": Filled({**LATER, "weekly": "1", "until": "2126-12-31"}, "hơn hai năm nữa"),
    "a last day that is none": Filled({**LATER, "weekly": "1", "until": "31/2"}, "không đọc được ngày giờ"),
    "what was shown is not what is there": Filled(
        {"when": "now", "sure": "now", "seen": "x"}, "người khác đã thao tác trước"
    ),
}


@pytest.fixture
async def planned(client: Client, service: Service) -> int:
    """A broadcast of an admin, ready to be sent to two people."""
    await service.store.write(lambda tx: [add_person(tx, name, district="yen-lac") for name in "ab"])
    await sign_in(client, service, "admin")
    number = await service.broadcasts.draft(Actor(), Audience(districts=("yen-lac",)))
    await service.broadcasts.write(Actor(), number, {"vi": "Mời bạn."})
    await service.broadcasts.plan(Actor(), number)
    return number


@pytest.mark.parametrize("name", WHEN)
async def test_a_form_that_says_when_is_refused(client: Client, service: Service, planned: int, name: str) -> None:
    filled = WHEN[name]
    answer = await fill(client, f"broadcasts/{planned}/release", filled.form)
    shown = await answer.text()
    assert answer.status == filled.status
    assert filled.said in shown
    for kept in filled.kept:
        assert kept in shown
    assert (await service.broadcasts.find(Actor(), planned)).state == "planned"


ASKED: dict[str, tuple[Fields, tuple[str, ...]]] = {
    "now": ({"when": "now"}, ("Gửi tin này cho 2 người?", "Tin sẽ được gửi ngay")),
    "later": (LATER, ("Bắt đầu gửi lúc 09:00, thứ Ba 24/11/2026",)),
    "at night": (
        {"when": "later", "at": "2026-11-24T22:30"},
        ("Bắt đầu gửi lúc 08:00, thứ Tư 25/11/2026", "Giờ bạn chọn nằm trong khung giờ không nhắn tin"),
    ),
    "in most of a year": (
        {"when": "later", "at": "2027-11-24T09:00"},
        ("24/11/2027", "Năm bạn chọn đã đúng chưa?"),
    ),
    "every week": (
        {**LATER, "weekly": "1", "until": "2026-12-31"},
        ("31/12/2026", "danh sách người nhận được lập lại"),
    ),
}


@pytest.mark.parametrize("name", ASKED)
async def test_what_will_be_sent_is_said_and_asked_first(
    client: Client, service: Service, planned: int, name: str
) -> None:
    form, said = ASKED[name]
    answer = await fill(client, f"broadcasts/{planned}/release", form)
    shown = await answer.text()
    assert answer.status == 200
    for words in said:
        assert words in shown
    assert (await service.broadcasts.find(Actor(), planned)).state == "planned"


async def test_a_yes_holds_for_the_beginning_that_was_shown(
    client: Client, service: Service, planned: int, clock: FrozenClock
) -> None:
    sure = {"seen": (await service.broadcasts.find(Actor(), planned)).version, "when": "now", "sure": "now"}
    clock.forward(hours=8, minutes=30)  # it has become night since
    await sign_in(client, service, "admin", "2")
    await service.store.write(lambda tx: tx.run("UPDATE roles SET scope = ''"))
    asked = await fill(client, f"broadcasts/{planned}/release", sure)
    shown = await asked.text()
    assert asked.status == 200
    assert "Bây giờ là giờ nghỉ" in shown
    assert (await service.broadcasts.find(Actor(), planned)).state == "planned"
    fields = dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)">', shown))
    assert (await client.post(f"/desk/broadcasts/{planned}/release", data=fields, allow_redirects=False)).status == 303
    released = await service.broadcasts.find(Actor(), planned)
    assert (released.state, released.starts_at and released.starts_at.isoformat()) == (
        "scheduled",
        "2026-11-24T01:00:00+00:00",
    )


# -- whom it is meant for, and what it says ----------------------------------------------------------------------

DRAFT: dict[str, Filled] = {
    "a district that there is not": Filled({"district": ["nowhere"], "reports": "any"}, "Lựa chọn này không còn"),
    "a commune without its district": Filled(
        {"district": ["vinh-tuong"], "commune": ["yen-lac/09025"], "reports": "any"}, "chưa chọn huyện của xã đó"
    ),
    "a commune of another district": Filled(
        {"district": ["vinh-tuong"], "commune": ["vinh-tuong/09028"], "reports": "any"}, "Lựa chọn này không còn"
    ),
    "a huge commune": Filled({"district": ["yen-lac"], "commune": [HUGE], "reports": "any"}, "chưa chọn huyện"),
    "nothing that can be reported": Filled({"reports": "perhaps"}, "Lựa chọn này không còn"),
    "empty reports": Filled({"reports": ""}, "Lựa chọn này không còn"),
    "a channel that is off": Filled({"reports": "any", "channel": "telegram"}, "Lựa chọn này không còn"),
    "a language that nobody speaks": Filled({"reports": "any", "language": "xx"}, "Lựa chọn này không còn"),
    "an unknown poster": Filled({"reports": "any", "source": "ZZ99X"}, "Tôi không biết mã này", kept=('"ZZ99X"',)),
    "a huge poster": Filled({"reports": "any", "source": HUGE}, "Tôi không biết mã này"),
    "a ready text that was not taken": Filled(
        {"reports": "any", "ready": "beware-scam", "text-vi": "Chào bạn."},
        "nhưng chưa lấy mẫu đó",
        kept=("Chào bạn.</textarea>",),
    ),
    "a text that is too long": Filled({"text-vi": "x" * 1001}, "quá dài", kept=("x" * 1001,)),
    "braces": Filled({"text-vi": "Chào {ai}"}, "trong ngoặc nhọn", kept=("Chào {ai}</textarea>",)),
    "a password": Filled({"text-vi": "mật khẩu là Abc@12345"}, "mật khẩu", kept=("Abc@12345</textarea>",)),
}
READY: dict[str, Filled] = {
    "none": Filled({"reports": "any"}, "Bạn chưa chọn mẫu nào"),
    "an unknown one": Filled({"reports": "any", "ready": "nothing"}, "Không có mẫu tin này"),
    "a huge one": Filled({"reports": "any", "ready": HUGE}, "Không có mẫu tin này"),
    "one whose facts nobody checked": Filled({"reports": "any", "ready": "install-app"}, "kiểm tra"),
    "one in the place of own words": Filled(
        {"ready": "beware-scam", "text-vi": "Của tôi."}, "tự viết sẽ bị mất", kept=("Của tôi.</textarea>",)
    ),
}


@pytest.mark.parametrize(
    ("action", "name"), [*(("draft", name) for name in DRAFT), *(("ready", name) for name in READY)]
)
async def test_a_form_of_a_draft_is_refused(client: Client, service: Service, action: str, name: str) -> None:
    filled = (DRAFT if action == "draft" else READY)[name]
    await sign_in(client, service, "admin")
    number = await service.broadcasts.draft(Actor(), Audience())
    for where in {"draft": ("draft", "plan"), "ready": ("ready",)}[action]:
        answer = await fill(client, f"broadcasts/{number}/{where}", filled.form)
        shown = await answer.text()
        assert answer.status == filled.status
        assert filled.said in shown
        for kept in filled.kept:
            assert kept in shown
    found = await service.broadcasts.find(Actor(), number)
    assert (found.state, dict(found.texts)) == ("draft", {})
