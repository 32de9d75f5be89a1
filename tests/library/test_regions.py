"""What people type for where they live; the expected districts are worked out from the YAML file itself."""

from __future__ import annotations

import time
import unicodedata
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from bot.errors import ContentError
from bot.library.regions import Regions, load_regions
from tests.conftest import ROOT

FILE = ROOT / "content" / "regions" / "vinh-phuc.yaml"
TREE: dict[str, Any] = yaml.safe_load(FILE.read_text(encoding="utf-8"))
REGIONS = load_regions(FILE)
ORDER = [district["id"] for district in TREE["districts"]]


def bare(text: str) -> str:
    """Drop the marks, in another way than the bot does."""
    table = str.maketrans("đĐ", "dD")
    return "".join(c for c in unicodedata.normalize("NFD", text.translate(table)) if not unicodedata.combining(c))


def owners() -> dict[str, set[str]]:
    """Name without marks → the districts that hold something of this name, district, commune, old or new."""
    found: dict[str, set[str]] = {}

    def add(name: str, district: str) -> None:
        found.setdefault(bare(name).lower().replace(" ", ""), set()).add(district)

    for district in TREE["districts"]:
        add(district["name"], district["id"])
        for commune in (*district["communes"], *district.get("later_names", ())):
            add(commune["name"], district["id"])
    for commune in TREE["communes_2025"]:
        for origin in commune["from"]:
            add(commune["name"], origin)
    return found


OWNERS = owners()


def held_by(name: str) -> list[str]:
    return sorted(OWNERS[bare(name).lower().replace(" ", "")], key=ORDER.index)


def understood(text: str) -> list[str]:
    return list(REGIONS.understand(text).districts)


def test_the_tree_is_whole() -> None:
    assert len(TREE["districts"]) == 9
    assert sum(len(district["communes"]) for district in TREE["districts"]) == 136
    assert len(TREE["communes_2025"]) == 36
    assert sum(district["population_2019"] for district in TREE["districts"]) == 1_151_154
    adults = sum(district["adults_estimate"] for district in TREE["districts"])
    assert abs(adults - TREE["baseline"]["adults_estimate"]) <= 9 * 50


def test_every_commune_of_2024_went_into_exactly_one_new_one() -> None:
    gone: list[tuple[str, str]] = [
        (origin, name) for new in TREE["communes_2025"] for origin, names in new["from"].items() for name in names
    ]
    assert len(gone) == len(set(gone))
    for district in TREE["districts"]:
        known = {c["name"] for c in (*district["communes"], *district.get("later_names", ()))}
        assert {name for origin, name in gone if origin == district["id"]} <= known


# All nine districts, 136 communes and 36 new communes, as people write them.

NAMED = sorted(
    {
        *((d["name"], d["kind"]) for d in TREE["districts"]),
        *((c["name"], c["kind"]) for d in TREE["districts"] for c in (*d["communes"], *d.get("later_names", ()))),
        *((c["name"], c["kind"]) for c in TREE["communes_2025"]),
    }
)
SHORT = {"thành phố": "TP", "huyện": "H.", "phường": "P.", "thị trấn": "TT", "xã": "X."}


def ways(name: str, kind: str) -> Iterator[str]:
    yield name
    yield bare(name)
    yield bare(name).lower()
    yield name.upper()
    yield bare(name).lower().replace(" ", "")
    yield unicodedata.normalize("NFD", name)
    yield f"  {name} . "
    yield f"mình ở {name} ạ"


# The province's own name says no more than "here"; it stands in the table further down.
UNAMBIGUOUS = [named for named in NAMED if named[0] != TREE["name"]]


@pytest.mark.parametrize(("name", "kind"), UNAMBIGUOUS, ids=[f"{kind} {name}" for name, kind in UNAMBIGUOUS])
def test_a_name_means_the_districts_that_hold_it(name: str, kind: str) -> None:
    expected = held_by(name)
    districts = [d["id"] for d in TREE["districts"] if bare(d["name"]) == bare(name)]
    for typed in ways(name, kind):
        # A district's name means the district, which holds its communes of the same name; others are asked about.
        found = understood(typed)
        assert found == expected, typed
        assert set(districts) <= set(found)


@pytest.mark.parametrize(("name", "kind"), NAMED, ids=[f"{kind} {name}" for name, kind in NAMED])
def test_a_kind_word_before_a_name_narrows_it(name: str, kind: str) -> None:
    holders = set()
    for district in TREE["districts"]:
        communes = (*district["communes"], *district.get("later_names", ()))
        if kind in ("huyện", "thành phố"):
            holders |= {district["id"]} if bare(district["name"]) == bare(name) else set()
        elif any(bare(c["name"]) == bare(name) for c in communes):
            holders.add(district["id"])
    if kind not in ("huyện", "thành phố"):
        holders |= {o for c in TREE["communes_2025"] if bare(c["name"]) == bare(name) for o in c["from"]}
    expected = sorted(holders, key=ORDER.index)
    for typed in (
        f"{kind} {name}",
        f"{bare(kind)} {bare(name)}".lower(),
        f"{SHORT[kind]}{name}",
        f"{SHORT[kind]} {name}",
    ):
        assert understood(typed) == expected, typed


TYPED: list[tuple[str, list[str]]] = [
    # with prefixes and slips
    ("TP Vĩnh Yên", ["vinh-yen"]),
    ("tp.vinh yen", ["vinh-yen"]),
    ("thành phố phúc yên", ["phuc-yen"]),
    ("thị xã Phúc Yên", ["phuc-yen"]),
    ("tx phuc yen", ["phuc-yen"]),
    ("H. Lập Thạch", ["lap-thach"]),
    ("huyen tam duong", ["tam-duong"]),
    ("h tam dao", ["tam-dao"]),
    ("Huyện Bình Xuyên tỉnh Vĩnh Phúc", ["binh-xuyen"]),
    ("yên lạc, vĩnh phúc", ["yen-lac"]),
    ("vinhtuong", ["vinh-tuong"]),
    ("VINH TUONG", ["vinh-tuong"]),
    ("vĩnh tường ạ", ["vinh-tuong"]),
    ("dạ em ở vĩnh tường", ["vinh-tuong"]),
    ("sông lô nhé", ["song-lo"]),
    ("song  lo", ["song-lo"]),
    ("lap thach.", ["lap-thach"]),
    ("(Tam Đảo)", ["tam-dao"]),
    # left-over keystrokes
    ("vinhx tuowngf", ["vinh-tuong"]),
    ("Vinhx Yeen", ["vinh-yen"]),
    ("laapj thachj", ["lap-thach"]),
    ("binhf xuyeen", ["binh-xuyen"]),
    ("tam ddaor", ["tam-dao"]),
    ("soong loo", ["song-lo"]),
    ("yeen lacj", ["yen-lac"]),
    ("phucs yeen", ["phuc-yen"]),
    ("vinh4 tuong72", ["vinh-tuong"]),
    # slips of the finger
    ("vinh tuog", ["vinh-tuong"]),
    ("vĩnh tườn", ["vinh-tuong"]),
    ("lập thạnh", ["lap-thach"]),
    ("binh xuyn", ["binh-xuyen"]),
    ("tam dươg", ["tam-duong"]),
    ("Vỉnh Tườn", ["vinh-tuong"]),
    # nearly a name, but the marks say otherwise
    ("bực mình quá đi mất", []),
    # two names in one line narrow each other down
    ("xã Sơn Đông huyện Sông Lô", ["song-lo"]),
    ("Sơn Đông, Lập Thạch", ["lap-thach"]),
    ("tam dương bắc, tam đảo", ["tam-dao"]),
    ("xuân hòa phúc yên", ["phuc-yen"]),
    ("xuan hoa lap thach", ["lap-thach"]),
    ("Thổ Tang Vĩnh Tường", ["vinh-tuong"]),
    ("thôn 3 xã Đồng Văn huyện Yên Lạc", ["yen-lac"]),
    ("P. Khai Quang, TP. Vĩnh Yên, tỉnh Vĩnh Phúc", ["vinh-yen"]),
    # names of several districts are asked about
    ("Sơn Đông", ["lap-thach", "song-lo"]),
    ("son dong", ["lap-thach", "song-lo"]),
    ("Tam Dương Bắc", ["tam-duong", "tam-dao"]),
    ("Xuân Hoà", ["phuc-yen", "lap-thach"]),
    ("xuan hoa", ["phuc-yen", "lap-thach"]),
    # names that cannot belong together are all asked about
    ("Vĩnh Yên hay Phúc Yên", ["vinh-yen", "phuc-yen"]),
    # names of after 2021
    ("phường Định Trung", ["vinh-yen"]),
    ("Hai Bà Trưng", ["phuc-yen"]),
    ("Sao Đại Việt", ["vinh-tuong"]),
    ("Lương Điền", ["vinh-tuong"]),
    ("xã Tây Sơn", ["lap-thach"]),
    ("Bình Nguyên", ["binh-xuyen"]),
    ("Bình Tuyền", ["binh-xuyen"]),
    ("xã Vĩnh Thành", ["vinh-tuong"]),
    ("Yên Lãng", ["song-lo"]),
    # the province alone says nothing, its ward does
    ("Vĩnh Phúc", []),
    ("tỉnh Vĩnh Phúc", []),
    ("phường Vĩnh Phúc", ["vinh-yen"]),
    # elsewhere, and no place at all
    ("Hà Nội", []),
    ("Hà Giang", []),
    ("Việt Trì Phú Thọ", []),
    ("tôi quên mật khẩu", []),
    ("cài ứng dụng thế nào", []),
    ("không biết", []),
    ("2", []),
    ("", []),
    ("   ", []),
    ("!!!", []),
    ("huyện", []),
    ("xã", []),
]  # fmt: skip


@pytest.mark.parametrize(("text", "districts"), TYPED, ids=[row[0] for row in TYPED])
def test_what_people_type(text: str, districts: list[str]) -> None:
    assert understood(text) == districts


PLACES: list[tuple[str, tuple[str, str, bool] | None]] = [
    ("vinh tuong", ("vinh-tuong", "", False)),
    ("xã Thượng Trưng", ("vinh-tuong", "09127", False)),
    ("Thổ Tang", ("vinh-tuong", "09112", True)),  # the old township lies within the new commune
    ("xã Vĩnh An", ("vinh-tuong", "09079", True)),
    ("Bá Hiến", ("binh-xuyen", "08944", False)),
    ("xã Sơn Đông huyện Sông Lô", ("song-lo", "08866", True)),
    ("Khai Quang, Liên Bảo", ("vinh-yen", "", False)),  # two communes: no more than their district is sure
    ("Sơn Đông", None),
    ("Hà Nội", None),
]


@pytest.mark.parametrize(("text", "place"), PLACES, ids=[row[0] for row in PLACES])
def test_which_commune_is_recorded(text: str, place: tuple[str, str, bool] | None) -> None:
    one = REGIONS.understand(text).one
    assert (None if one is None else (one.district, one.commune, one.new)) == place


WORDS = st.sampled_from(
    [bare(name) for name, _ in NAMED]
    + [name for name, _ in NAMED]
    + ["huyện", "xã", "tp", ",", "và", "ở", "p.", "tt", "\u202e", "\u0300", "1", "😀"]
)


@given(text=st.text(max_size=120) | st.lists(WORDS, max_size=8).map(" ".join))
def test_any_text_is_understood_as_places_that_exist(text: str) -> None:
    found = REGIONS.understand(text)
    assert set(found.districts) <= set(ORDER)
    assert list(found.districts) == sorted(found.districts, key=ORDER.index)
    if found.one is not None:
        assert found.districts == (found.one.district,)
        assert not found.one.commune or REGIONS.commune_name(found.one.commune) != found.one.commune


@hypothesis_settings(deadline=None)
@given(
    name=st.sampled_from([name for name, _ in NAMED if name != TREE["name"]]),
    case=st.sampled_from([str.upper, str.title]),
)
def test_case_and_marks_do_not_matter(name: str, case: Any) -> None:
    assert understood(case(bare(name))) == understood(name.lower()) == held_by(name)


SLOW = ["a" * 100_000, "ab " * 30_000, "vinhtuon " * 10_000, "vĩnhx " * 10_000, "\u0300" * 50_000]


@pytest.mark.parametrize("text", SLOW, ids=lambda text: text[:8])
def test_a_long_text_takes_no_long_time(text: str) -> None:
    begun = time.perf_counter()
    REGIONS.understand(text)
    assert time.perf_counter() - begun < 1


BAD_TREES: list[tuple[str, str, str]] = [
    ("  - id: phuc-yen", "  - id: Phuc Yen", "districts[2].id"),
    ('code: "08710"', 'code: "08707"', "the code 08707 belongs to Tích Sơn already."),
    (
        "vinh-yen: [Tích Sơn, Hội Hợp",
        "vinh-yen: [Tích Xơn, Hội Hợp",
        "comes from 'Tích Xơn', which Vĩnh Yên does not hold.",
    ),
    ("song-lo: [Cao Phong]", "song-la: [Cao Phong]", "comes from the unknown district 'song-la'."),
    ("adults_estimate: 81700", "adults_estimate: 0", "adults_estimate should be greater than 0, not 0."),
    ("kind: thành phố", "kind: làng", "kind must be 'thành phố' or 'huyện', not 'làng'."),
]


@pytest.mark.parametrize(("good", "bad", "sentence"), BAD_TREES, ids=[row[1] for row in BAD_TREES])
def test_a_bad_tree_is_refused_with_its_line(tmp_path: Path, good: str, bad: str, sentence: str) -> None:
    text = FILE.read_text(encoding="utf-8")
    assert good in text
    path = tmp_path / "regions.yaml"
    path.write_text(text.replace(good, bad, 1), encoding="utf-8")
    with pytest.raises(ContentError) as caught:
        load_regions(path)
    said = str(caught.value)
    assert sentence in said
    line = next(
        number
        for number, row in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
        if bad.split(":")[0] in row and bad[-6:] in row
    )
    assert any(abs(problem.line - line) <= 2 for problem in caught.value.problems), (line, said)


def test_titles_in_both_languages() -> None:
    district = REGIONS.districts["lap-thach"]
    assert district.title("vi") == "huyện Lập Thạch"
    assert district.title("en") == "Lập Thạch district"
    assert REGIONS.districts["vinh-yen"].title("en") == "Vĩnh Yên city"


def test_an_unknown_code_is_shown_as_it_is() -> None:
    assert isinstance(REGIONS, Regions)
    assert REGIONS.commune_name("99999") == "99999"
