"""Official figures at the desk: uploaded, looked at, corrected, taken in, undone; nobody else's upload is even read."""

from __future__ import annotations

import html
import io
import re
from datetime import date

import pytest
from aiohttp import FormData

from bot.runtime.build import Service
from bot.statistics import counts
from bot.statistics.table_reader import MAX_BYTES
from tests.statistics.test_official_import import PHONES, department
from tests.statistics.test_table_reader import workbook
from tests.web.desk.test_desk import Client, client, sign_in, token

__all__ = ["client"]

MEDIA_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
# The clock of the tests stands at 23 November 2026.
TABLE = workbook(("Bìa", [["BÁO CÁO"]]), ("Tháng 11", department(until="Tính đến hết ngày 20/11/2026", total=1)))


async def upload(client: Client, content: bytes, name: str = "a.xlsx") -> str:
    """Send a file and follow to its page; returns the page as read."""
    form = FormData()
    form.add_field("token", await token(client))
    form.add_field("file", io.BytesIO(content), filename=name, content_type=MEDIA_TYPE)
    return html.unescape(await (await client.post("/desk/import", data=form)).text())


async def post(client: Client, address: str, **fields: str) -> str:
    response = await client.post(f"/desk/import/{address}", data={"token": await token(client), **fields})
    return html.unescape(await response.text())


def seen(page: str) -> str:
    found = re.search(r'name="seen" value="(\w+)"', page)
    assert found is not None
    return found[1]


async def phones(service: Service) -> dict[str, int]:
    figures = await counts.official_figures(service.store, service.regions, until=date(2026, 11, 23))
    return {place: figure.phones for place, figure in figures.items()}


async def test_departments_table_is_shown_taken_in_and_undone(client: Client, service: Service) -> None:
    await sign_in(client, service, "admin")
    page = await upload(client, TABLE)
    for shown in ("Số máy đã cài đặt Lũy kế", 'value="2026-11-20"', "huyện Yên Lạc", "20/11/2026", "10.800",
                  "Dòng tổng ghi 1; cộng các huyện ở trên được 78.376."):  # fmt: skip
        assert shown in page
    refused = await post(client, "1/take", seen=seen(page))
    assert "hãy xác nhận những chỗ lạ là đúng" in refused
    assert "yen-lac" not in await phones(service)
    taken = await post(client, "1/take", seen=seen(page), sure="1")
    assert "9 số liệu, đã nhập lúc 12:00, 23/11/2026." in taken
    assert await phones(service) == {**PHONES, "vinh-phuc": sum(PHONES.values())}
    districts = await (await client.get("/desk/districts")).text()
    assert "10.800" in districts
    district = html.unescape(await (await client.get("/desk/districts/yen-lac")).text())
    assert "Số liệu chính thức và số tự báo" in district
    assert "a.xlsx" in await (await client.get("/desk/import")).text()
    assert "đã hoàn tác" in await post(client, "1/undo")
    assert await phones(service) == {"vinh-phuc": 67750}


async def test_mapping_is_corrected_and_the_sheet_changed(client: Client, service: Service) -> None:
    await sign_in(client, service, "admin")
    other = [["Đơn vị", "Số máy"], ["Huyện Sông Lô", 77]]
    content = workbook(("Tháng 11", department(until="Tính đến 20/11/2026")), ("Khác", other))
    page = await upload(client, content)
    assert "15.230" in page
    page = await post(client, "1/mapping", sheet="0", heading_row="7", place="1", phones="2", day="2026-11-19")
    assert "15.230" not in page
    assert "19/11/2026" in page
    page = await post(client, "1/mapping", sheet="1", heading_row="7", place="1", phones="2", day="")
    assert "Bạn hãy cho biết số liệu tính đến ngày nào." in page
    assert 'name="seen"' not in page
    page = await post(client, "1/mapping", sheet="1", heading_row="1", place="0", phones="1", day="2026-11-19")
    await post(client, "1/take", seen=seen(page))
    assert (await phones(service))["song-lo"] == 77


@pytest.mark.parametrize("field", ["sheet", "heading_row", "place", "phones", "days"])
async def test_nonsense_in_the_mapping_breaks_nothing(client: Client, service: Service, field: str) -> None:
    await sign_in(client, service, "admin")
    await upload(client, TABLE)
    for value in ("-1", "x", "999999", "9" * 40, "٣", ""):
        assert "Sẽ nhập những gì" in await post(client, "1/mapping", **{field: value})


@pytest.mark.parametrize(
    ("content", "name", "said"),
    [
        (b"\xd0\xcf\x11\xe0" + bytes(600), "a.xls", "Đây là tệp Excel kiểu cũ (.xls)"),
        (b"%PDF-1.7", "a.pdf", "Đây là tệp PDF"),
        (b"", "a.xlsx", "Tệp không có gì."),
        (b"x" * (MAX_BYTES + 1), "a.csv", "Tệp lớn hơn 10 MB."),
        (b"x" * (MAX_BYTES + 100_000), "a.csv", "Tệp lớn hơn 10 MB."),
    ],
)
async def test_what_is_no_table_is_refused_in_a_sentence(
    client: Client, service: Service, content: bytes, name: str, said: str
) -> None:
    await sign_in(client, service, "admin")
    assert said in await upload(client, content, name)


async def test_text_of_the_file_cannot_become_markup(client: Client, service: Service) -> None:
    await sign_in(client, service, "admin")
    evil = "<script>alert(1)</script>"
    form = FormData()
    form.add_field("token", await token(client))
    rows = department(until="Tính đến 20/11/2026", names=[f"{evil} huyện Yên Lạc", *[f"x{n}{evil}" for n in range(8)]])
    form.add_field("file", workbook((evil[:20].replace("/", "-"), rows)), filename=f"{evil}.xlsx")
    page = await (await client.post("/desk/import", data=form)).text()
    assert "<script>alert" not in page
    assert "&lt;script&gt;" in page


@pytest.mark.parametrize("role", ["", "officer"])
async def test_upload_of_others_is_refused_before_it_is_read(client: Client, service: Service, role: str) -> None:
    if role:
        await sign_in(client, service, role)
    response = await client.post(
        "/desk/import", data=io.BytesIO(b"x" * (MAX_BYTES // 2)), headers={"Content-Type": "text/csv"}
    )
    assert response.status == (403 if role else 401)


async def test_upload_without_the_token_keeps_nothing(client: Client, service: Service) -> None:
    await sign_in(client, service, "admin")
    form = FormData()
    form.add_field("token", "wrong")
    form.add_field("file", TABLE, filename="a.xlsx")
    assert (await client.post("/desk/import", data=form)).status == 403
    assert (await client.get("/desk/import/1")).status == 409


async def test_other_forms_keep_the_small_bound(client: Client, service: Service) -> None:
    await sign_in(client, service, "admin")
    response = await client.post("/desk/import/1/take", data={"token": await token(client), "seen": "x" * 100_000})
    assert response.status == 413
