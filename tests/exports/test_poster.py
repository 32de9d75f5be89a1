"""Posters: one page, codes that a phone reads back, and only what is known to be true; and the codes behind them."""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pypdfium2
import pytest
import zxingcpp
from PIL import Image

from bot import access
from bot.errors import ContentError
from bot.exports.poster import (
    SIZES,
    EntryPoint,
    Form,
    NoEntryPoint,
    PosterText,
    Size,
    TooMuchText,
    doors,
    file_name,
    keep_together,
    load_poster_text,
    make_poster,
)
from bot.library.articles import load_library
from bot.library.regions import load_regions
from bot.library.sources import (
    REGION_FILE,
    UNIT_FILE,
    Source,
    Unit,
    check_sources,
    districts_of,
    find_sources,
    load_sources,
    source_name,
)
from bot.message import Person
from bot.runtime.build import Service
from bot.settings import Settings
from bot.store import people
from tests.conftest import ROOT, OpenBot, Talk
from tests.support.processes import run_command

CONTENT = ROOT / "content"
REGIONS = load_regions(CONTENT / "regions" / "vinh-phuc.yaml")
LIBRARY = load_library(CONTENT)
SOURCES = load_sources(CONTENT)
TEXT = load_poster_text(CONTENT)
TODAY, IN_2021 = date(2026, 11, 23), date(2021, 10, 20)
ZALO, WEB, BOT = "https://zalo.me/4271936508816253", "https://hoidap.vinhphuc.example", "suckhoe_vinhphuc_bot"
ALL = {"zalo_oa": {"link": ZALO}, "web": {"public_url": WEB}, "telegram": {"username": BOT}}
LONG_UNIT = Unit(
    code="THCS52",
    name="Trường Trung học cơ sở và Trung học phổ thông Chuyên (tên trường rất dài) – cơ sở hai, khu công nghiệp (tên)",
    kind="school",
    district="binh-xuyen",
)
UNIT = Source("THCS52", "binh-xuyen", unit=LONG_UNIT)


def poster(
    source: Source = SOURCES.by_code["VT22"],
    channels: dict[str, Any] = ALL,
    text: PosterText = TEXT,
    **more: Any,
) -> bytes:
    settings = Settings(**channels)
    return make_poster(source, text, regions=REGIONS, library=LIBRARY, settings=settings, today=TODAY, **more)


def printed(pdf: bytes, ppi: int = 150) -> tuple[Image.Image, str]:
    """Print the only page of a PDF; returns its picture and its text."""
    document = pypdfium2.PdfDocument(pdf)
    try:
        assert len(document) == 1
        page = document[0]
        text = page.get_textpage().get_text_range()
        return page.render(scale=ppi / 72).to_pil().convert("L"), " ".join(text.replace("\u00a0", " ").split())
    finally:
        document.close()


def scanned(picture: Image.Image) -> set[str]:
    return {code.text for code in zxingcpp.read_barcodes(picture)}


# on paper


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("source", [SOURCES.by_code["VT22"], SOURCES.by_code["LT54"], UNIT], ids=lambda s: s.code)
def test_all_codes_are_read_back_from_paper(source: Source, size: Size) -> None:
    picture, text = printed(poster(source, size=size))
    assert [round(side / 150 * 25.4) for side in picture.size] == list(SIZES[size])
    wanted = {ZALO, f"{WEB}/?s={source.code}", f"https://t.me/{BOT}?start={source.code}"}
    assert scanned(picture) == wanted
    assert scanned(picture.point(lambda grey: 255 if grey > 128 else 0)) == wanted, "in black and white"
    assert f"rồi gõ {source.code}" in text


@pytest.mark.parametrize("size", SIZES)
def test_the_codes_are_read_from_a_bad_copy(size: Size) -> None:
    """A small and grey copy, as from an old machine, loses nothing."""
    picture, _ = printed(poster(size=size))
    copy = picture.resize((picture.width * 2 // 3, picture.height * 2 // 3)).point(lambda grey: 70 + grey // 2)
    assert len(scanned(copy)) == 3


@pytest.mark.parametrize("size", SIZES)
def test_the_picture_for_phones_holds_the_same(size: Size) -> None:
    picture = Image.open(io.BytesIO(poster(size=size, form="png")))
    assert 1200 <= picture.width <= 1280
    assert len(scanned(picture.convert("L"))) == 3


def test_it_says_what_is_known_and_nothing_else() -> None:
    _, text = printed(poster())
    for said in (
        "Huyện Vĩnh Tường cũ",
        "Khu vực Vĩnh Phúc cũ, Phú Thọ",
        "Sổ sức khỏe",
        "1 Quét mã",
        "2 Hỏi trợ lý",
        "3 Báo đã cài",
        "Tôi đã cài xong",  # the button as it is called in the chat
        "tự nguyện",
        "Sổ trên VNeID, hướng dẫn từng bước",
        "ứng dụng năm 2021 (chứng nhận tiêm 2021–2022)",
        "tiemchungcovid19.gov.vn/portal/user-manual",
        "Cấp cứu: 115",
        "Trợ lý không hỏi mật khẩu",
        "Trợ lý đang chạy thử",
        "Mã nơi dán: VT22",
        "hoidap.vinhphuc.example",
        "@suckhoe_vinhphuc_bot",
    ):
        assert said in text, said
    assert "1900" not in text  # true once, unconfirmed today: not on paper
    assert "bắt buộc" not in text


WAYS: list[tuple[dict[str, Any], set[str]]] = [
    ({"web": ALL["web"]}, {f"{WEB}/?s=VT22"}),
    ({"zalo_oa": ALL["zalo_oa"]}, {ZALO}),
    ({"telegram": ALL["telegram"]}, {f"https://t.me/{BOT}?start=VT22"}),
    ({"zalo_oa": ALL["zalo_oa"], "telegram": ALL["telegram"]}, {ZALO, f"https://t.me/{BOT}?start=VT22"}),
]


@pytest.mark.parametrize("language", ["vi", "en"])
@pytest.mark.parametrize(("channels", "wanted"), WAYS)
def test_only_channels_that_are_set_up_have_a_code(channels: dict[str, Any], wanted: set[str], language: str) -> None:
    picture, text = printed(poster(channels=channels, language=language))
    assert scanned(picture) == wanted
    assert ("VT22" in text.replace("place: VT22", "").replace("dán: VT22", "")) == ("zalo_oa" in channels)


def test_no_channel_no_poster() -> None:
    with pytest.raises(NoEntryPoint):
        poster(channels={})


def test_zalo_comes_first_and_asks_for_the_code() -> None:
    found = doors(Settings(**ALL), TEXT, "VT22")
    assert found[0] == EntryPoint("Zalo", ZALO, "zalo.me/4271936508816253", "VT22")
    assert [door.type for door in found[1:]] == ["", ""]


def test_texts_that_do_not_fit_are_refused() -> None:
    longer = TEXT.safety.model_copy(update={"vi": "Đừng đưa mật khẩu cho ai. " * 60})
    for form in ("pdf", "png"):
        with pytest.raises(TooMuchText, match=r"poster\.yaml"):
            poster(text=TEXT.model_copy(update={"safety": longer}), form=form)


def test_a_pdf_is_readable_aloud_and_carries_its_own_type() -> None:
    pdf = pypdfium2.PdfDocument(poster())
    try:
        assert pdf.get_metadata_value("Title") == "Sổ sức khỏe điện tử – huyện Vĩnh Tường cũ"
        fonts = {obj.get_font().get_base_name() for obj in pdf[0].get_objects() if hasattr(obj, "get_font")}
    finally:
        pdf.close()
    assert fonts, "the letters are text, not drawings"
    assert all("BeVietnamPro" in name for name in fonts), fonts


BROKEN_LINES = [
    ("Sổ sức khỏe điện tử", "Sổ sức_khỏe điện_tử"),
    ("Điện tử, điện tửng", "Điện_tử, điện tửng"),
    ("Quét mã", "Quét mã"),
    ("Mở máy ảnh rồi đưa vào mã là xong", "Mở máy_ảnh rồi đưa vào mã là_xong"),
]


@pytest.mark.parametrize(("words", "kept"), BROKEN_LINES)
def test_words_are_not_parted_at_the_end_of_a_line(words: str, kept: str) -> None:
    assert keep_together(words, TEXT.together).replace("\u00a0", "_") == kept


# the codes


def test_every_place_has_one_code_that_nobody_misreads() -> None:
    assert list(check_sources(SOURCES, REGIONS)) == []
    assert len(SOURCES.by_code) == 9 + 136 + 36 + len(SOURCES.units)
    for code in SOURCES.by_code:
        assert not set(code) & set("01OI"), code


def test_codes_on_paper_stay_what_they_are() -> None:
    """Printed posters hang for years: these lines may be added to, never changed."""
    stable = {"VY22": ("vinh-yen", ""), "TG22": ("tam-duong", ""), "TA22": ("tam-dao", ""), 
              "VT35": ("vinh-tuong", "09106"), "VT64": ("vinh-tuong", "09154"), "LT54": ("lap-thach", "08866"),
              "SL43": ("song-lo", "08860")}  # fmt: skip
    assert {code: (SOURCES.by_code[code].district, SOURCES.by_code[code].commune) for code in stable} == stable


TYPED = [
    ("VT22", "VT22"), ("vt22", "VT22"), ("vt 22", "VT22"), ("gõ VT22", "VT22"), ("Mã: VT-22.", "VT22"),
    ("go ma vt22", "VT22"), ("VT07", ""), ("xin chào", ""), ("", ""), ("22", ""), ("gõ", ""),
    ("tôi ở VT22 mà không cài được ứng dụng này đâu", ""),
]  # fmt: skip


@pytest.mark.parametrize(("said", "code"), TYPED)
def test_a_typed_code_is_understood(said: str, code: str) -> None:
    found = SOURCES.typed(said)
    assert (found.code if found else "") == code


NAMES = [
    ("VT22", "vi", TODAY, ("huyện Vĩnh Tường cũ", "khu vực Vĩnh Phúc cũ")),
    ("VT22", "vi", IN_2021, ("huyện Vĩnh Tường", "tỉnh Vĩnh Phúc")),
    ("VT22", "en", TODAY, ("former Vĩnh Tường district", "the former Vinh Phuc area")),
    ("VT35", "vi", TODAY, ("xã Lũng Hoà", "huyện Vĩnh Tường cũ")),
    ("VT62", "vi", TODAY, ("xã Vĩnh Thành", "tỉnh Phú Thọ")),
    ("PY36", "en", TODAY, ("Xuân Hòa ward", "Phú Thọ province")),
]


@pytest.mark.parametrize(("code", "language", "day", "names"), NAMES)
def test_places_are_called_what_they_are_called_today(
    code: str, language: str, day: date, names: tuple[str, str]
) -> None:
    assert source_name(SOURCES.by_code[code], REGIONS, today=day, language=language) == names


WANTED = [
    ("vinh-tuong", ["VT22"]), ("Vĩnh Tường", ["VT22"]), ("VT35", ["VT35"]), ("xã Lũng Hoà", ["VT35"]), 
    ("09154", ["VT54", "VT64"]), ("xã Sơn Đông", ["LT46", "LT54"]), ("Hà Giang", []), ("", []), ("thcs", []),
]  # fmt: skip


@pytest.mark.parametrize(("said", "codes"), WANTED)
def test_a_place_is_found_by_name_number_or_code(said: str, codes: list[str]) -> None:
    assert [source.code for source in find_sources(said, SOURCES, REGIONS)] == codes


def test_a_commune_of_two_districts_belongs_to_both() -> None:
    assert districts_of(SOURCES.by_code["LT54"], REGIONS) == {"lap-thach", "song-lo"}
    assert districts_of(SOURCES.by_code["VT35"], REGIONS) == {"vinh-tuong"}
    assert districts_of(Source("SNV2", unit=LONG_UNIT), REGIONS) == frozenset()


def test_units_are_found_by_code_and_name(tmp_path: Path) -> None:
    (tmp_path / REGION_FILE).write_text((CONTENT / REGION_FILE).read_text(encoding="utf-8"), encoding="utf-8")
    (tmp_path / UNIT_FILE).write_text(
        "units:\n- {code: THPT22, name: Trường Thử nghiệm, kind: school, district: yen-lac}\n", encoding="utf-8"
    )
    sources = load_sources(tmp_path)
    assert list(check_sources(sources, REGIONS)) == []
    assert [s.code for said in ("thpt22", "truong thu nghiem") for s in find_sources(said, sources, REGIONS)] == [
        "THPT22", "THPT22"
    ]  # fmt: skip


def test_the_examples_are_good_ones(tmp_path: Path) -> None:
    """What a citizen's agency uncomments must load as it stands."""
    (tmp_path / REGION_FILE).write_text((CONTENT / REGION_FILE).read_text(encoding="utf-8"), encoding="utf-8")
    examples = (
        (CONTENT / UNIT_FILE).read_text(encoding="utf-8").replace("units: []", "units:").replace("\n#  -", "\n  -")
    )
    (tmp_path / UNIT_FILE).write_text(examples, encoding="utf-8")
    sources = load_sources(tmp_path)
    assert len(sources.units) == 3
    assert list(check_sources(sources, REGIONS)) == []


UNITS_WRONG = [
    ("{code: VT22, name: A, kind: school}", "units.yaml:2: VT22 is taken already."),
    ("{code: TH01, name: A, kind: school}", "units.yaml:2: units[1].code"),
    ("{code: THPT2, name: A, kind: club}", "units.yaml:2: units[1].kind"),
    ("{code: THPT2, kind: school}", "units.yaml:2: units[1].name is missing."),
]


@pytest.mark.parametrize(("line", "sentence"), UNITS_WRONG)
def test_a_wrong_unit_is_named_with_its_line(tmp_path: Path, line: str, sentence: str) -> None:
    (tmp_path / REGION_FILE).write_text((CONTENT / REGION_FILE).read_text(encoding="utf-8"), encoding="utf-8")
    (tmp_path / UNIT_FILE).write_text(f"units:\n- {line}\n", encoding="utf-8")
    with pytest.raises(ContentError) as caught:
        load_sources(tmp_path)
    assert sentence in str(caught.value)


REGIONS_WRONG = [
    ("  VT22: vinh-tuong\n", "", "vinh-tuong has no code."),
    ("  VT22: vinh-tuong\n", "  VT22: vinh-tuong\n  VT99: vinh-tuong\n", "VT99 is the second code of vinh-tuong."),
    ('VT35: "09106"', 'VT35: "08707"', "VT35 stands for no place of its district."),
    ("  VT22: vinh-tuong\n", "  VT22: vinh-tuong\n  XX22: ha-noi\n", "XX22 stands for no place of its district."),
]


@pytest.mark.parametrize(("old", "new", "sentence"), REGIONS_WRONG)
def test_a_wrong_code_is_named(tmp_path: Path, old: str, new: str, sentence: str) -> None:
    codes = (CONTENT / REGION_FILE).read_text(encoding="utf-8")
    assert old in codes
    (tmp_path / REGION_FILE).write_text(codes.replace(old, new), encoding="utf-8")
    (tmp_path / UNIT_FILE).write_text("units: []\n", encoding="utf-8")
    try:
        found = [str(problem) for problem in check_sources(load_sources(tmp_path), REGIONS)]
    except ContentError as error:
        found = [str(error)]
    assert any(sentence in problem or "begins like no district" in problem for problem in found), found


# in the chat


@pytest.fixture
def settings(settings: Settings) -> Settings:
    return settings.model_copy(update={name: getattr(Settings(**ALL), name) for name in ALL})


async def role(talk: Talk, service: Service, scope: str = "") -> None:
    code = await access.invite(service.store, role="officer", scope=scope, at=service.clock(), actor="test")
    await talk.say(f"/start moi_{code}")


async def source_of(service: Service, person: Person) -> str:
    row = await service.store.read(lambda tx: people.find(tx, person))
    assert row is not None
    return str(row["source"])


async def test_a_citizen_types_the_code_of_a_poster(talk: Talk, service: Service) -> None:
    assert "trợ lý tự động" in await talk.say("gõ vt35")
    assert await source_of(service, talk.person) == "VT35"
    await talk.say("YL22")  # the first poster keeps its merit
    assert await source_of(service, talk.person) == "VT35"


async def test_an_officer_gets_all_three_forms(talk: Talk, service: Service) -> None:
    await role(talk, service)
    assert "dán ở đâu" in await talk.say("/poster")
    assert len([label for label in talk.labels if label.endswith("cũ")]) == 9
    assert "xã Lũng Hoà, huyện Vĩnh Tường cũ, mã VT35" in await talk.say("xã Lũng Hoà")
    file = talk.replies[-1].file
    assert file is not None
    assert (file.name, file.media_type) == ("poster-VT35-a4.pdf", "application/pdf")
    assert f"{WEB}/?s=VT35" in scanned(printed(file.content)[0])
    await talk.press("Bản in khổ A5")
    assert talk.replies[-1].file
    assert talk.replies[-1].file.name == "poster-VT35-a5.pdf"
    await talk.press("Ảnh để gửi")
    image = talk.replies[-1].image
    assert isinstance(image, bytes)
    assert len(scanned(Image.open(io.BytesIO(image)).convert("L"))) == 3
    await talk.press("Nơi khác")
    assert "mã YL22" in await talk.say("YL22")  # asked for a place, an officer means the place
    await talk.say("/poster xã Sơn Đông")
    assert [label for label in talk.labels if label.startswith("Xã Sơn Đông")] == [
        "Xã Sơn Đông, huyện Lập Thạch cũ", "Xã Sơn Đông, tỉnh Phú Thọ",
    ]  # fmt: skip
    assert "mã LT54" in await talk.press("Xã Sơn Đông, tỉnh")
    assert "chưa nhận ra nơi" in await talk.say("/poster Hà Giang")


async def test_an_officer_makes_posters_of_the_own_district_only(
    talk: Talk, another: Callable[[str], Talk], service: Service
) -> None:
    assert "chỉ dành cho cán bộ" in await talk.say("/poster")
    assert "chỉ dành cho cán bộ" in await talk.say(choice="poster:YL22")
    officer = another("officer")
    await role(officer, service, "song-lo")
    await officer.say("/poster")
    assert [label for label in officer.labels if label.endswith("cũ")] == ["Huyện Sông Lô cũ"]
    assert "mã LT54" in await officer.say("Sơn Đông")  # of the two, the one that lies in Sông Lô too
    assert "không thuộc địa bàn" in await officer.say("/poster Vĩnh Tường")
    assert "không còn" in await officer.say(choice="poster:VT22")
    assert officer.replies[-1].file is None


async def test_without_a_channel_the_officer_is_told_why(
    settings: Settings, clock: Callable[[], Any], open_bot: OpenBot, talk: Talk, service: Service
) -> None:
    await role(talk, service)
    bare = settings.model_copy(update={name: getattr(Settings(), name) for name in ALL})
    service.engine._settings = bare
    assert "chưa có kênh nào" in await talk.say("/poster VT22")


def test_the_command_writes_pdf_and_png(tmp_path: Path) -> None:
    forms: tuple[Form, ...] = ("pdf", "png")
    for form in forms:
        out = tmp_path / f"poster.{form}"
        done = run_command(
            "poster",
            "--region",
            "vinh-tuong",
            "--size",
            "a5",
            "--out",
            str(out),
            data=tmp_path,
            BOT_WEB__PUBLIC_URL=WEB,
        )
        assert done.returncode == 0, done.stderr
        assert "code VT22" in done.stdout
        assert out.stat().st_size > 10_000


@pytest.mark.parametrize(
    ("arguments", "status", "sentence"),
    [
        (("--region", "VT22"), 1, "No poster without a way in"),
        (("--region", "Hà Giang"), 1, "--region: 'Hà Giang' is not in the regions."),
        (("--unit", "VT22"), 1, "--unit: 'VT22' is not in content/units.yaml."),
        (
            ("--region", "xã Sơn Đông"),
            1,
            "may mean several; give the code. LT46: xã Sơn Đông, huyện Lập Thạch cũ; LT54",
        ),
        ((), 2, "give one of --region and --unit"),
    ],
)
def test_a_wrong_command_says_why(tmp_path: Path, arguments: tuple[str, ...], status: int, sentence: str) -> None:
    done = run_command("poster", *arguments, "--out", str(tmp_path / "a.pdf"), data=tmp_path)
    assert (done.returncode, done.stdout) == (status, "")
    assert sentence in done.stderr
    assert not (tmp_path / "a.pdf").exists()


def test_files_are_named_after_what_they_are() -> None:
    assert file_name(replace(UNIT), size="a5", form="png") == "poster-THCS52-a5.png"
