"""The forms of one talk and of saved replies: what they do, and every one filled in with what it must not take."""

from __future__ import annotations

import pytest

from bot.helpdesk.cases import LONGEST
from bot.helpdesk.notes import MOST_LABELS
from bot.runtime.build import Service
from tests.conftest import ON_BOTH_ENGINES, Recorder
from tests.web.desk.test_desk import EVIL, Client, asked, client, member, sign_in
from tests.web.desk.test_inbox_pages import audit, heard, post, seen

__all__ = ["client"]  # a fixture

pytestmark = ON_BOTH_ENGINES
HUGE = "9" * 400


@pytest.fixture
async def held(client: Client, service: Service) -> int:
    """A message in the hand of an officer of the province."""
    number = await asked(service, "citizen", "yen-lac")
    await sign_in(client, service, "officer")
    await post(client, f"inbox/{number}/take")
    return number


# form, fields, status, what is said
REFUSED: list[tuple[str, dict[str, str], int, str]] = [
    ("answer", {"text": ""}, 400, "Bạn chưa viết câu trả lời"),
    ("answer", {"text": "x" * (LONGEST + 1)}, 400, "Câu trả lời quá dài: nhiều nhất 2.000 ký tự"),
    ("insert", {}, 400, "Bạn hãy chọn nội dung cần chèn trước"),
    ("insert", {"what": "reply:"}, 400, "mẫu này không còn"),
    ("insert", {"what": "reply:99"}, 400, "mẫu này không còn"),
    ("insert", {"what": f"reply:{HUGE}"}, 400, "mẫu này không còn"),
    ("insert", {"what": "article:nothing"}, 400, "Lựa chọn này không còn"),
    ("insert", {"what": "file:/etc/passwd"}, 400, "Lựa chọn này không còn"),
    ("insert", {"what": "article:forgot-password", "text": "x" * LONGEST}, 400, "Ghép lại thì câu trả lời quá dài"),
    ("note", {}, 409, "Ghi chú đang để trống"),
    ("note", {"text-note": " \r\n"}, 409, "Ghi chú đang để trống"),
    ("note", {"text-note": "x" * (LONGEST + 1)}, 409, "Ghi chú quá dài"),
    ("note", {"text-note": "mật khẩu là Abc@12345"}, 409, "Tôi chưa lưu"),
    ("label", {}, 409, "Nhãn dài từ 1 đến 30 ký tự"),
    ("label", {"label": "..."}, 409, "Nhãn dài từ 1 đến 30 ký tự"),
    ("label", {"label": "x" * 31}, 409, "Nhãn dài từ 1 đến 30 ký tự"),
    ("label", {"label": "0912345678"}, 409, "Nhãn dài từ 1 đến 30 ký tự"),
    ("hand-over", {}, 409, "Lựa chọn này không còn"),
    ("hand-over", {"to": "ha-noi:"}, 409, "đã kết thúc hoặc nằm ngoài"),
    ("hand-over", {"to": "song-lo:999"}, 409, "Cán bộ này không phụ trách nơi đó"),
    ("hand-over", {"to": "song-lo:x"}, 409, "Lựa chọn này không còn"),
    ("hand-over", {"to": f"song-lo:{HUGE}", "sure": "1"}, 409, "Lựa chọn này không còn"),
    ("hand-over", {"to": "song-lo:999", "sure": "1"}, 409, "Cán bộ này không phụ trách nơi đó"),
    ("reopen", {}, 409, "đang mở rồi"),
]


async def test_a_form_that_must_not_be_taken_is_refused(client: Client, service: Service, held: int) -> None:
    before = [line for line in await audit(service) if not line.startswith("read")]
    for form, fields, status, said in REFUSED:
        answer = await post(client, f"inbox/{held}/{form}", **fields)
        assert answer.status == status, (form, fields)
        assert said in await answer.text(), (form, fields)
    assert [line for line in await audit(service) if not line.startswith("read")] == before
    kept = await service.store.read(lambda tx: tx.all("SELECT id FROM case_notes"))
    assert kept == []


async def test_notes_stay_with_officers_and_are_kept_once(
    client: Client, service: Service, held: int, recorder: Recorder
) -> None:
    for _ in range(2):
        assert (await post(client, f"inbox/{held}/note", **{"text-note": f"{EVIL} Đã gọi xã"})).status == 303
    page = await (await client.get(f"/desk/inbox/{held}")).text()
    assert page.count("Đã gọi xã") == 1
    assert "&lt;script&gt;" in page
    assert await heard(service, recorder, "citizen") == []
    file = await (await post(client, f"inbox/{held}/file")).text()
    assert "máy bị treo" in file
    assert "Đã gọi xã" not in file
    assert f"export-talk message {held}" in await audit(service)
    await service.store.write(lambda tx: tx.run("DELETE FROM people WHERE address = 'citizen'"))
    for table in ("case_notes", "case_labels"):
        assert await service.store.read(lambda tx, table=table: tx.all(f"SELECT * FROM {table}")) == []


async def test_labels_are_put_on_and_taken_off(client: Client, service: Service, held: int) -> None:
    for number in range(MOST_LABELS):
        assert (await post(client, f"inbox/{held}/label", label=f" nhãn  {number} ")).status == 303
    assert "nhiều nhãn" in await (await post(client, f"inbox/{held}/label", label="thêm")).text()
    assert (await post(client, f"inbox/{held}/label", label="nhãn 1")).status == 303  # it is there already
    await post(client, f"inbox/{held}/label", off="nhãn 1")
    page = await (await client.get(f"/desk/inbox/{held}")).text()
    assert 'name="off" value="nhãn 2"' in page
    assert 'name="off" value="nhãn 1"' not in page


async def test_saved_replies_are_kept_changed_inserted_and_deleted(
    client: Client, service: Service, held: int, recorder: Recorder
) -> None:
    for title, text, said in (
        ("", "Chào", "đặt tiêu đề"),
        ("x" * 81, "Chào", "đặt tiêu đề"),
        ("Chào", "", "viết nội dung"),
        ("Chào", "x" * (LONGEST + 1), "viết nội dung"),
        ("Chào", "mật khẩu là Abc@12345", "Tôi chưa lưu"),
    ):
        refused = await post(client, "replies", title=title, text=text)
        assert refused.status == 409
        shown = await refused.text()
        assert said in shown
        assert text[:50] in shown
    for _ in range(2):  # the button was pressed twice
        assert (await post(client, "replies", title="Bật lại máy", text="Bạn thử bật lại máy.")).status == 303
    assert (await post(client, "replies/1", title="Bật lại máy", text="Bạn tắt máy rồi bật lại nhé.")).status == 303
    page = await (await client.get("/desk/replies")).text()
    assert page.count("Bạn tắt máy rồi bật lại nhé.</p>") == 1
    inserted = await post(client, f"inbox/{held}/insert", text="Chào bạn.", what="reply:1")
    assert "Chào bạn.\n\nBạn tắt máy rồi bật lại nhé.</textarea>" in await inserted.text()
    article = await post(client, f"inbox/{held}/insert", text="", what="article:forgot-password")
    assert "mật khẩu" in (await article.text()).partition("<textarea")[2].partition("</textarea>")[0]
    assert await heard(service, recorder, "citizen") == []
    assert (await post(client, "replies/1/delete")).status == 303
    assert (await post(client, "replies/1/delete")).status == 409
    assert (await post(client, "replies/1", title="a", text="b")).status == 409


async def test_a_hand_over_names_the_officer_and_asks_first(client: Client, service: Service, held: int) -> None:
    to = await member(service, "officer", "yen-lac")
    await service.store.write(
        lambda tx: tx.run("INSERT INTO officers (person_id, name, named_at) VALUES (:id, 'Lan', '')", id=to)
    )
    goal = f"yen-lac:{to}"
    shown = await (await post(client, f"inbox/{held}/hand-over", to=goal)).text()
    assert f"Chuyển tin nhắn số {held} cho Lan?" in shown
    assert f'name="to" value="{goal}"' in shown
    assert "Bạn đang xử lý." in await (await client.get(f"/desk/inbox/{held}")).text()
    assert (await post(client, f"inbox/{held}/hand-over", to=goal, sure="1")).status == 303
    assert "Lan đang xử lý." in await (await client.get(f"/desk/inbox/{held}")).text()


async def test_a_message_in_nobodys_hand_is_assigned_by_name(client: Client, service: Service) -> None:
    number = await asked(service, "citizen", "yen-lac")
    await sign_in(client, service, "officer")
    to = await member(service, "officer", "yen-lac")
    assert (await post(client, f"inbox/{number}/hand-over", to=f"yen-lac:{to}", sure="1")).status == 303
    assert f"Cán bộ số {to} đang xử lý." in await (await client.get(f"/desk/inbox/{number}")).text()


async def test_closing_warns_while_the_citizen_waits_and_reopening_leads_back(
    client: Client, service: Service, held: int, recorder: Recorder
) -> None:
    asks = await post(client, f"inbox/{held}/close")
    assert asks.status == 200
    assert "khi chưa trả lời?" in await asks.text()
    await post(client, f"inbox/{held}/answer", seen=await seen(client, held), text="Bạn ra xã nhé.")
    assert (await post(client, f"inbox/{held}/close")).status == 303
    assert (await post(client, f"inbox/{held}/answer", text="Còn gì không?")).status == 409
    assert (await post(client, f"inbox/{held}/reopen")).status == 303
    await service.sweep()  # it is not taken for idle at once
    await post(client, f"inbox/{held}/answer", seen=await seen(client, held), text="Còn gì không bạn?")
    assert (await heard(service, recorder, "citizen"))[-1].endswith("Còn gì không bạn?")
    await post(client, f"inbox/{held}/close")
    await asked(service, "citizen", text="lại bị treo")
    newer = await post(client, f"inbox/{held}/reopen")
    assert newer.status == 409
    assert "một tin nhắn mới hơn" in await newer.text()
