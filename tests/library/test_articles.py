"""The library: every bad file is a line that says where; a bad edit of a running bot keeps the last good library."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest

from bot.errors import ContentError
from bot.library.articles import Library, load_library
from bot.library.knowledge import INDEX_FILE, ContentStore, Knowledge
from tests.conftest import ROOT

CONTENT = ROOT / "content"

ARTICLE = """\
id: {id}
topic: install
product: app
status: check
checked_on: 2026-10-06
title: {{vi: Bài {id}, en: Article {id}}}
answer:
  vi: |
    Bạn mở **CH Play** và bấm cài.
  en: |
    Open **CH Play** and tap install.
steps:
  vi: [Mở máy, Bấm cài]
  en: [Open it, Tap install]
more: {{vi: Thêm nữa., en: More.}}
links: [manual]
actions: [guide]
related: [{other}]
sources: [{{ref: L0, url: "https://vinhphuc.gov.vn", date: 2021}}]
questions:
  vi: [Cài {id} thế nào, Tải {id} ở đâu]
  en: [How to install {id}]
"""


ACTS = """\
acts:
  thanks:
    says: {vi: [cảm ơn nhé], en: [thanks]}
    answers: {vi: [Không có gì ạ.], en: [You are welcome.]}
other: [ở đâu]
"""

DANGER = """\
kinds:
  general:
    text: {vi: "**Gọi 115 ngay.**", en: "**Call 115 now.**"}
examples:
  now: {general: [cấp cứu bố tôi với]}
  not: [bố tôi khỏe rồi]
"""


@pytest.fixture
def content(tmp_path: Path) -> Path:
    """The real links, menu and words, two small articles, one act and one kind of emergency."""
    folder = tmp_path / "content"
    (folder / "articles" / "install").mkdir(parents=True)
    for path in CONTENT.glob("*.yaml"):
        shutil.copy(path, folder / path.name)
    (folder / "foreign.yaml").write_text("questions: [giá vàng hôm nay, thời tiết ngày mai, kết quả bóng đá]\n")
    (folder / "acts.yaml").write_text(ACTS)
    (folder / "danger.yaml").write_text(DANGER)
    for id_, other in (("one", "two"), ("two", "one")):
        (folder / "articles" / "install" / f"{id_}.yaml").write_text(ARTICLE.format(id=id_, other=other))
    return folder


def problems(content: Path) -> list[str]:
    with pytest.raises(ContentError) as caught:
        load_library(content)
    return [str(problem).replace(f"{content}/", "") for problem in caught.value.problems]


def test_the_real_library_is_in_order(knowledge: Knowledge) -> None:
    library = knowledge.library
    assert len(library.articles) >= 90
    assert list(library.articles) == sorted(library.articles)
    assert {article.topic for article in library.articles.values()} == set(library.menu.topics)
    assert "manual" in library.manual.links


def test_a_small_library_is_in_order(content: Path) -> None:
    library = load_library(content)
    assert list(library.articles) == ["one", "two"]
    assert [article.id for article in library.by_topic("install")] == ["one", "two"]
    assert library.articles["one"].title.in_language("en") == "Article one"
    assert library.articles["one"].sources[0].date == "2021"


Edit = Callable[[str], str]


def swap(old: str, new: str) -> Edit:
    def edit(text: str) -> str:
        assert text.count(old) >= 1, old
        return text.replace(old, new, 1)

    return edit


ONE = "articles/install/one.yaml"
# The edit of articles/install/one.yaml → what is said about it.
BAD: list[tuple[str, Edit, list[str]]] = [
    ("no title", swap("title: {vi: Bài one, en: Article one}\n", ""), [f"{ONE}:1: title is missing."]),
    ("one language", swap("title: {vi: Bài one, en: Article one}", "title: {vi: Bài one}"),
     [f"{ONE}:6: title.en is missing."]),
    ("empty text", swap("vi: Bài one", 'vi: " "'), [f"{ONE}:6: title.vi must not be empty, not ' '."]),
    ("unknown key", swap("product: app", "product: app\ncolour: red"), [f"{ONE}:4: colour is not a known key."]),
    ("unknown product", swap("product: app", "product: web"),
     [f"{ONE}:3: product must be 'app', 'vneid', 'both' or 'none', not 'web'."]),
    ("unknown status", swap("status: check", "status: maybe"),
     [f"{ONE}:4: status must be 'current', 'check', 'historic' or 'always', not 'maybe'."]),
    ("no date", swap("2026-10-06", "yesterday"), [f"{ONE}:5: checked_on"]),
    ("a day that cannot be", swap("2026-10-06", "2026-02-30"), [f"{ONE}:5: '2026-02-30' cannot be"]),
    ("unknown link", swap("links: [manual]", "links: [manual, nowhere]"),
     [f"{ONE}:16: links names 'nowhere', which manual.yaml does not hold."]),
    ("unknown action", swap("actions: [guide]", "actions: [dance]"),
     [f"{ONE}:17: actions names 'dance', which menu.yaml does not hold."]),
    ("related to nothing", swap("related: [two]", "related: [three]"),
     [f"{ONE}:18: related names 'three', which is no other article."]),
    ("related to itself", swap("related: [two]", "related: [one]"),
     [f"{ONE}:18: related names 'one', which is no other article."]),
    ("unknown placeholder", swap("bấm cài.", "gọi {phone}."), [f"{ONE}:8: holds the unknown placeholder {{phone}}."]),
    ("an address in the text", swap("bấm cài.", "vào https://evil.example."),
     [f"{ONE}:8: holds an address; name it in manual.yaml and list it under links."]),
    ("bold not closed", swap("**CH Play**", "**CH Play"),
     [f"{ONE}:8: opens a bold run with ** and does not close it."]),
    ("an unlisted telephone", swap("Bấm cài", "Gọi 0912 345 678"),
     [f"{ONE}:13: holds the telephone number 0912 345 678, which manual.yaml does not list."]),
    ("too long", swap("vi: Thêm nữa.", "vi: " + "dài " * 500), [f"{ONE}:15: more.vi is longer than 1500 characters."]),
    ("a question of another", swap("Tải one ở đâu", "tai two o dau"),
     ["articles/install/two.yaml:21: the question 'Tải two ở đâu' stands in one too."]),
    ("no question", swap("  en: [How to install one]", "  en: []"), [f"{ONE}:22: questions.en must hold at least 1."]),
    ("no source", swap('sources: [{ref: L0, url: "https://vinhphuc.gov.vn", date: 2021}]', "sources: []"),
     [f"{ONE}:19: sources must hold at least 1."]),
    ("another id", swap("id: one", "id: three"), [f"{ONE}:1: must stand in articles/install/three.yaml.",
                                                  "articles/install/two.yaml:18: related names 'one'"]),
    ("the id of another", swap("id: one", "id: two"), [
        f"{ONE}:1: must stand in articles/install/two.yaml.", "articles/install/two.yaml:1: the id two",
        "articles/install/two.yaml:18: related"]),
    ("a wild id", swap("id: one", "id: Một Hai"),
     [f"{ONE}:1: id", "articles/install/two.yaml:18: related names 'one'"]),
    ("another topic", swap("topic: install", "topic: account"), [f"{ONE}:1: must stand in articles/account/one.yaml."]),
    ("not YAML", swap("title: {vi", "title: [vi"),
     [f"{ONE}:6: is not valid YAML", "articles/install/two.yaml:18: related"]),
    ("a key twice", swap("product: app", "product: app\nproduct: vneid"),
     [f"{ONE}:4: product stands here a second time.", "articles/install/two.yaml:18: related names 'one'"]),
    ("two at once", swap("status: check\nchecked_on: 2026-10-06", "status: maybe\nchecked_on: never"),
     [f"{ONE}:4: status", f"{ONE}:5: checked_on"]),
]  # fmt: skip


@pytest.mark.parametrize(("name", "edit", "expected"), BAD, ids=[row[0] for row in BAD])
def test_a_bad_article_is_told_with_file_and_line(content: Path, name: str, edit: Edit, expected: list[str]) -> None:
    path = content / ONE
    path.write_text(edit(path.read_text(encoding="utf-8")), encoding="utf-8")
    found = problems(content)
    for beginning in expected:
        assert any(line.startswith(beginning) for line in found), found
    unexpected = [line for line in found if not any(line.startswith(beginning) for beginning in expected)]
    # An article that cannot be read is missing for those that lead to it.
    assert all("related names 'one'" in line for line in unexpected), unexpected
    assert all("\n" not in line and line.endswith(".") for line in found)


BAD_OTHERS: list[tuple[str, str, Edit, str]] = [
    ("manual.yaml", "not https", swap("https://apps.apple.com", "http://apps.apple.com"),
     "link app-store is not https."),
    ("manual.yaml", "no trusted host", swap("https://apps.apple.com", "https://apps.app1e.com"),
     "link app-store leads to apps.app1e.com, which is no trusted host."),
    ("manual.yaml", "no address", swap('"https://apps.apple.com/vn/app/id1555911794"', '"https://[apps"'),
     "link app-store is no address."),
    ("menu.yaml", "an unknown item", swap("main: [guide", "main: [dance"), "main names 'dance', which is no item."),
    ("menu.yaml", "no command", swap("command: /baocai", "command: baocai"), "items.report.command"),
]  # fmt: skip


@pytest.mark.parametrize(("file", "name", "edit", "sentence"), BAD_OTHERS, ids=[row[1] for row in BAD_OTHERS])
def test_bad_links_and_menus(content: Path, file: str, name: str, edit: Edit, sentence: str) -> None:
    path = content / file
    path.write_text(edit(path.read_text(encoding="utf-8")), encoding="utf-8")
    found = problems(content)
    assert any(line.startswith(f"{file}:") and sentence in line for line in found), found


MISPLACED = ["articles/install/three.yml", "articles/three.yaml", "articles/install/more/three.yaml"]


@pytest.mark.parametrize("place", MISPLACED)
def test_a_file_that_would_never_be_read_is_told(content: Path, place: str) -> None:
    path = content / place
    path.parent.mkdir(exist_ok=True)
    path.write_text(ARTICLE.format(id="three", other="one"))
    assert any(f"{place}: is not read; articles stand in articles/TOPIC/ID.yaml." in line for line in problems(content))


@pytest.mark.parametrize("missing", ["manual.yaml", "menu.yaml"])
def test_a_missing_file_is_told(content: Path, missing: str) -> None:
    (content / missing).unlink()
    assert any(f"{missing}: cannot be read: No such file or directory." in line for line in problems(content))


def test_an_empty_folder_is_told(content: Path) -> None:
    shutil.rmtree(content / "articles")
    assert problems(content) == ["articles: holds no article."]


def test_facts_that_nobody_checked_for_half_a_year_are_told(content: Path) -> None:
    library: Library = load_library(content)
    assert list(library.stale(date(2027, 4, 4))) == []
    assert [problem.line for problem in library.stale(date(2027, 4, 5))] == [5, 5]


# The running bot: what changes on the disk is taken over, what is broken is not.


@pytest.fixture
def content_store(content: Path) -> ContentStore:
    return ContentStore(content, None)


def change(content: Path, old: str, new: str) -> None:
    path = content / ONE
    path.write_text(swap(old, new)(path.read_text(encoding="utf-8")), encoding="utf-8")


async def test_nothing_changed_is_nothing_done(content_store: ContentStore) -> None:
    before = content_store.knowledge
    assert await content_store.refresh() is False
    assert content_store.knowledge is before


async def test_a_good_edit_is_taken_over(content_store: ContentStore, content: Path) -> None:
    change(content, "Bài one", "Bài mới")
    assert await content_store.refresh() is True
    assert content_store.knowledge.library.articles["one"].title.vi == "Bài mới"
    assert await content_store.refresh() is False


async def test_a_bad_edit_keeps_the_last_good_library_until_it_is_mended(
    content_store: ContentStore, content: Path
) -> None:
    before = content_store.knowledge
    change(content, "product: app", "product: web")
    with pytest.raises(ContentError, match=r"one\.yaml:3: product must be"):
        await content_store.refresh()
    assert content_store.knowledge is before
    assert await content_store.refresh() is False  # told once, not every two seconds
    change(content, "product: web", "product: vneid")
    assert await content_store.refresh() is True
    assert content_store.knowledge.library.articles["one"].product == "vneid"


async def test_an_article_comes_and_goes(content_store: ContentStore, content: Path) -> None:
    path = content / "articles" / "install" / "three.yaml"
    path.write_text(ARTICLE.format(id="three", other="one"))
    assert await content_store.refresh() is True
    assert "three" in content_store.knowledge.library.articles
    assert content_store.knowledge.find("Cài three thế nào").ids[0] == "three"
    path.unlink()
    assert await content_store.refresh() is True
    assert "three" not in content_store.knowledge.library.articles


async def test_word_lists_are_part_of_it(content_store: ContentStore, content: Path) -> None:
    (content / "words.yaml").write_text("nonsense: [1]\n")
    with pytest.raises(ContentError, match=r"words\.yaml:1: .*nonsense"):
        await content_store.refresh()
    (content / "foreign.yaml").write_text("questions: no list\n")
    with pytest.raises(ContentError):
        await content_store.refresh()
    assert set(content_store.knowledge.library.articles) == {"one", "two"}


async def test_the_watch_tells_each_change_once_and_goes_on(content_store: ContentStore, content: Path) -> None:
    told: list[str] = []
    steps = iter([
        lambda: change(content, "product: app", "product: web"),
        lambda: None,
        lambda: change(content, "product: web", "product: both"),
        lambda: None,
    ])  # fmt: skip

    async def pause() -> None:
        step = next(steps, None)
        if step is None:
            raise asyncio.CancelledError
        step()

    async def report(error: ContentError | None) -> None:
        told.append(str(error))

    with pytest.raises(asyncio.CancelledError):
        await content_store.watch(report, pause=pause)
    assert len(told) == 2
    assert "product must be" in told[0]
    assert told[1] == "None"


async def test_a_bad_edit_found_by_the_process_that_builds_the_index_is_told_alike(
    content: Path, tmp_path: Path
) -> None:
    content_store = ContentStore(content, tmp_path / INDEX_FILE)
    change(content, "product: app", "product: web")
    with pytest.raises(ContentError) as caught:
        await content_store.refresh()
    assert str(caught.value) == "\n".join(map(str, caught.value.problems))
    assert "one.yaml:3: product must be" in str(caught.value.problems[0])
    change(content, "product: web", "product: both")
    assert await content_store.refresh() is True


def test_content_that_is_broken_at_the_start_stops_it(content: Path) -> None:
    change(content, "product: app", "product: web")
    with pytest.raises(ContentError):
        ContentStore(content, None)
