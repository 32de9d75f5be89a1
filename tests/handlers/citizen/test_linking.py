"""Two channels of one person: linked only at their wish, counted once, taken apart at any time."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest

from bot import access
from bot.runtime.build import Service
from bot.store import conversations, tallies
from tests.conftest import FrozenClock, Talk

Another = Callable[[str], Talk]


async def code_of(talk: Talk) -> str:
    """Ask for a code and return it as it is read."""
    await talk.say("/lienket")
    found = re.search(r"[A-Z]{4}-[A-Z]{4}", await talk.press("Cho tôi một mã"))
    assert found is not None
    return found[0]


async def link(one: Talk, two: Talk) -> str:
    await two.say(f"/lienket {await code_of(one)}")
    return await two.press("Đúng, cả hai")


async def report(talk: Talk, district: str) -> None:
    for said in ("/baocai", "có", f"vneid, {district}"):
        await talk.say(said)


async def rows(service: Service, sql: str) -> list[tuple[Any, ...]]:
    return [tuple(row) for row in await service.store.read(lambda tx: tx.all(sql))]  # type: ignore[arg-type]


async def in_order(service: Service) -> None:
    """Check that what is kept of the counts agrees with the reports themselves."""
    assert await service.store.read(tallies.disagreements) == []


REPORTS = "SELECT district, day FROM reports ORDER BY person_id"


async def test_linked_people_are_counted_once(
    talk: Talk, another: Another, service: Service, clock: FrozenClock
) -> None:
    other = another("citizen-2")
    await report(talk, "vĩnh tường")
    clock.forward(days=1)
    await report(other, "yên lạc")
    assert len(await rows(service, REPORTS)) == 2
    await other.say(f"/lienket {await code_of(talk)}")
    assert "chỉ được tính một lần" in await other.press("Đúng, cả hai")
    # The first day counts, the latest place is true.
    assert await rows(service, REPORTS) == [("yen-lac", "2026-11-23")]
    assert "huyện Yên Lạc" in await talk.say("/suabaocai")
    await talk.press("Đổi huyện")
    await talk.say("Tam Đảo")
    assert "huyện Tam Đảo" in await other.say("/suabaocai")
    assert len(await rows(service, REPORTS)) == 1
    await in_order(service)


async def test_who_reported_on_one_channel_has_reported_on_the_other(
    talk: Talk, another: Another, service: Service
) -> None:
    other = another("citizen-2")
    await report(talk, "vĩnh tường")
    await link(talk, other)
    assert "Bạn đã báo ngày 23/11/2026: sổ trong VNeID" in await other.say("/baocai")
    await other.press("Tôi chưa cài")
    assert await rows(service, REPORTS) == []
    assert "Bạn chưa báo đã cài" in await talk.say("/suabaocai")
    await in_order(service)


async def test_unlinking_leaves_the_report_where_it_was_made(talk: Talk, another: Another, service: Service) -> None:
    other = another("citizen-2")
    await report(talk, "vĩnh tường")
    await link(talk, other)
    shown = await other.say("/lienket")
    assert "Đã liên kết với" in shown
    await other.press("Hủy liên kết")
    assert "Bạn chưa báo đã cài" in await other.say("/suabaocai")
    assert "huyện Vĩnh Tường" in await talk.say("/suabaocai")
    assert await rows(service, "SELECT * FROM links") == []
    assert "chưa liên kết" in await other.say(choice="link:leave")


async def test_deletion_takes_the_shared_report_and_leaves_the_other_talk(
    talk: Talk, another: Another, service: Service
) -> None:
    other = another("citizen-2")
    await report(talk, "vĩnh tường")
    await link(talk, other)
    await talk.say("quên mật khẩu")
    assert "Đã liên kết với" in await other.say("/dulieu")
    await other.press("Xóa tất cả")
    await other.press("Có, xóa tất cả")
    assert await rows(service, REPORTS) == []
    assert await rows(service, "SELECT address FROM people") == [("citizen-1",)]
    assert len(await rows(service, "SELECT * FROM questions")) == 1
    await in_order(service)


async def test_the_export_names_the_linked_channel_and_nothing_of_its_talk(
    talk: Talk, another: Another, service: Service
) -> None:
    other = another("citizen-2")
    await talk.say("quên mật khẩu")
    await link(talk, other)
    await other.say(choice="privacy:export")
    file = other.replies[0].file
    assert file is not None
    assert b'"linked_channels"' in file.content
    assert "mật khẩu".encode() not in file.content


async def test_the_other_channel_is_told(talk: Talk, another: Another, service: Service) -> None:
    await link(talk, another("citizen-2"))
    pushed = await rows(service, "SELECT p.address, m.reply FROM pushes m JOIN people p ON p.id = m.person_id")
    assert [address for address, _ in pushed] == ["citizen-1"]
    assert "vừa được liên kết" in pushed[0][1]


async def test_three_channels_make_one_circle(talk: Talk, another: Another, service: Service) -> None:
    two, three = another("citizen-2"), another("citizen-3")
    for one in (talk, two, three):
        await report(one, "vĩnh tường")
    await link(talk, two)
    await link(three, two)
    assert len(await rows(service, REPORTS)) == 1
    assert len(await rows(service, "SELECT DISTINCT circle FROM links")) == 1
    await in_order(service)


async def test_a_code_works_once_soon_and_elsewhere(talk: Talk, another: Another, clock: FrozenClock) -> None:
    code = await code_of(talk)
    assert "chính kênh này" in await talk.say(f"/lienket {code}")
    two, three = another("citizen-2"), another("citizen-3")
    assert "Liên kết kênh này" in await two.say(f"/link {code.lower().replace('-', ' ')}")
    await two.press("Đúng, cả hai")
    assert "không đúng" in await three.say(f"/lienket {code}")
    late = await code_of(talk)
    clock.forward(minutes=16)
    assert "hết hạn" in await three.say(f"/lienket {late}")
    older, newer = await code_of(talk), await code_of(talk)
    assert "không đúng" in await three.say(f"/lienket {older}")
    assert "Liên kết kênh này" in await three.say(f"/lienket {newer}")


async def test_nothing_is_linked_without_a_clear_yes(talk: Talk, another: Another, service: Service) -> None:
    other = another("citizen-2")
    await other.say(f"/lienket {await code_of(talk)}")
    await other.press("Không, đừng liên kết")
    await other.say(choice="link:yes")  # an old button
    assert await rows(service, "SELECT * FROM links") == []


async def test_guessing_ends_soon(talk: Talk, another: Another, clock: FrozenClock) -> None:
    code = await code_of(talk)
    other = another("citizen-2")
    for number in range(5):
        assert "không đúng" in await other.say(f"/lienket BBBB-BBB{'BCDFG'[number]}")
    assert "quá nhiều lần" in await other.say(f"/lienket {code}")
    clock.forward(hours=1, minutes=1)
    fresh = await code_of(talk)
    assert "Liên kết kênh này" in await other.say(f"/lienket {fresh}")


async def test_the_code_can_be_typed_alone_after_asking(talk: Talk, another: Another) -> None:
    code = await code_of(talk)
    other = another("citizen-2")
    await other.say("/lienket")
    await other.press("Tôi đã có mã")
    assert "Liên kết kênh này" in await other.say(code)


async def test_an_officer_sees_the_district_of_a_linked_person(talk: Talk, another: Another, service: Service) -> None:
    other = another("citizen-2")
    await report(talk, "vĩnh tường")
    await link(talk, other)
    await other.say("/canbo")
    await other.say("máy bị treo")
    found = await service.store.read(conversations.unfinished)
    assert [row["district"] for row in found] == ["vinh-tuong"]


@pytest.mark.parametrize("said", ["/hethong", "/state"])
async def test_the_state_is_for_admins(talk: Talk, another: Another, service: Service, said: str) -> None:
    assert "chỉ dành cho quản trị viên" in await talk.say(said)
    admin = another("an-admin")
    code = await access.invite(service.store, role="admin", scope="", at=service.clock(), actor="test")
    await admin.say(f"/start moi_{code}")
    service.trouble["zalo_oa keys"] = "The keys are dead."
    shown = await admin.say(said)
    assert "Zalo: đang tắt" in shown
    assert "The keys are dead." in shown
    assert "Telegram: đang tắt" in shown
