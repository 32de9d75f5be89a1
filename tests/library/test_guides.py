"""Guides: every bad file is a line that says where; the real ones keep what their format promises."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from bot.errors import ContentError
from bot.library.articles import load_library
from bot.library.guides import MOST_STEPS_A_LEG, Guide
from bot.library.knowledge import Knowledge
from tests.library.test_articles import content, problems, swap

__all__ = ["content"]  # the fixture: the real links and menu, and two small articles

GUIDE = """\
id: walk
order: 1
product: vneid
article: one
checked_on: 2026-12-01
title: {vi: Cài, en: Install}
for_whom: {vi: Mọi người, en: Everybody}
legs:
  - reached: {vi: Đã cài, en: Installed}
    steps:
      - id: open
        do: {vi: "Bấm **Mở**", en: "Tap **Mở**"}
        more: {vi: Bấm nút Mở, en: Tap the button}
        expect: {vi: Nó mở ra, en: It opens}
        screen:
          name: {vi: Kho, en: Store}
          elements:
            - {kind: button, label: {vi: Mở, en: Open}, press: true}
            - {kind: field, label: {vi: Tên, en: Name}}
        answers:
          - {label: {vi: Rồi, en: I did}, goto: "step:last"}
        trouble:
          - label: {vi: Không thấy, en: Not there}
            says: {vi: [không thấy, tìm không ra, nó đâu], en: [not there, where is it]}
            remedy: {vi: Tìm lại, en: Look again}
            goto: step:open
      - id: last
        do: {vi: Xem, en: Look}
        more: {vi: Xem kỹ, en: Look well}
        expect: {vi: Thấy, en: You see it}
        after: end
        trouble:
          - label: {vi: Hỏi người, en: Ask}
            says: {vi: [cần người, gặp người, gọi người], en: [a person, talk to somebody]}
            remedy: {vi: Có người giúp, en: Somebody helps}
            goto: person
end: {text: {vi: Xong, en: Done}, report: vneid, articles: [two]}
sources: [{ref: L0, url: "https://vinhphuc.gov.vn", date: 2021}]
"""
FILE = "guides/walk.yaml"


@pytest.fixture
def folder(content: Path) -> Path:
    """A small library with one guide."""
    (content / "guides").mkdir()
    (content / FILE).write_text(GUIDE, encoding="utf-8")
    return content


def test_a_small_guide_is_in_order(folder: Path) -> None:
    library = load_library(folder)
    guide = library.guides["walk"]
    assert [step.id for step in guide.steps] == ["open", "last"]
    assert library.guide_of("one") is guide
    assert library.guide_of("two") is None


Edit = Callable[[str], str]
# The edit of guides/walk.yaml → what is said about it.
BAD: list[tuple[str, Edit, str]] = [
    ("another id", swap("id: walk", "id: talk"), f"{FILE}:1: must stand in guides/talk.yaml."),
    ("a wild id", swap("id: open\n", "id: Mở\n"), f"{FILE}:11: legs[1].steps[1].id"),
    ("unknown article", swap("article: one", "article: none"),
     f"{FILE}:4: names the article 'none', which does not exist."),
    ("no such step", swap("goto: step:open", "goto: step:door"), f"{FILE}:26: leads to step:door, which does not"),
    ("no such guide", swap("goto: step:open", "goto: guide:door"), f"{FILE}:26: leads to guide:door"),
    ("the guide itself", swap("goto: step:open", "goto: guide:walk"), f"{FILE}:26: leads to guide:walk"),
    ("no such article", swap("goto: step:open", "goto: article:x"), f"{FILE}:26: leads to article:x"),
    ("no way at all", swap("goto: step:open", "goto: home"), f"{FILE}:26: legs[1].steps[1].trouble[1].goto"),
    ("an answer to nowhere", swap('"step:last"', '"step:door"'), f"{FILE}:21: leads to step:door"),
    ("after nowhere", swap("after: end", "after: door"), f"{FILE}:31: leads to step:door"),
    ("an end to nowhere", swap("articles: [two]", "articles: [three]"), f"{FILE}:37: names 'three', which is no other"),
    ("the same step twice", swap("id: last", "id: open"), f"{FILE}:27: the id open belongs to another step already."),
    ("a step called end", swap("id: last", "id: end"), f"{FILE}:27: the id end belongs to another step already."),
    ("two things to press", swap("en: Name}}", "en: Name}, press: true}"), f"{FILE}:15: marks more than one thing"),
    ("an unknown kind", swap("kind: field", "kind: knob"), f"{FILE}:19: legs[1].steps[1].screen.elements[2].kind"),
    ("no element", swap(GUIDE[GUIDE.index("          elements:"):GUIDE.index("        answers:")],
                        "          elements: []\n"), f"{FILE}:17: legs[1].steps[1].screen.elements must hold"),
    ("no trouble", swap("trouble:\n          - label: {vi: Hỏi người", "wrong:\n          - label: {vi: Hỏi người"),
     f"{FILE}:27: legs[1].steps[2].trouble is missing."),
    ("too few phrasings", swap("[không thấy, tìm không ra, nó đâu]", "[không thấy, nó đâu]"),
     f"{FILE}:24: must hold at least 3 phrasings."),
    ("a phrasing twice", swap("tìm không ra", "Khong thay!"), f"{FILE}:24: 'Khong thay!' stands at this step twice."),
    ("a long label", swap("vi: Không thấy,", f"vi: {'dài ' * 10},"), f"{FILE}:23: is longer than 36 characters."),
    ("a long step", swap('vi: "Bấm **Mở**"', f'vi: "{"dài " * 60}"'), f"{FILE}:12: is longer than 230 characters."),
    ("an address", swap("Nó mở ra", '"xem https://evil.example"'), f"{FILE}:14: holds an address"),
    ("an unlisted telephone", swap("Tìm lại", "Gọi 0912 345 678"), f"{FILE}:25: holds the telephone number"),
    ("bold not closed", swap('"Bấm **Mở**"', '"Bấm **Mở"'), f"{FILE}:12: opens a bold run"),
    ("no source", swap('[{ref: L0, url: "https://vinhphuc.gov.vn", date: 2021}]', "[]"), f"{FILE}:38: sources"),
    ("an unknown key", swap("order: 1", "order: 1\ncolour: red"), f"{FILE}:3: colour is not a known key."),
    ("not YAML", swap("title: {vi", "title: [vi"), f"{FILE}:6: is not valid YAML"),
]  # fmt: skip


@pytest.mark.parametrize(("name", "edit", "expected"), BAD, ids=[row[0] for row in BAD])
def test_a_bad_guide_is_reported_with_its_line(folder: Path, name: str, edit: Edit, expected: str) -> None:
    (folder / FILE).write_text(edit(GUIDE), encoding="utf-8")
    found = problems(folder)
    assert any(line.startswith(expected) for line in found), found


def test_a_leg_of_five_steps_is_refused(folder: Path) -> None:
    step = GUIDE[GUIDE.index("      - id: last") : GUIDE.index("end: {text")]
    more = "".join(step.replace("id: last", f"id: last{number}") for number in range(MOST_STEPS_A_LEG - 1))
    (folder / FILE).write_text(GUIDE.replace(step, step + more), encoding="utf-8")
    assert any("legs[1].steps must hold at most 4." in line for line in problems(folder))


def test_a_file_elsewhere_is_reported(folder: Path) -> None:
    (folder / "guides" / "more").mkdir()
    (folder / "guides" / "more" / "x.yaml").write_text(GUIDE, encoding="utf-8")
    (folder / "guides" / "y.yml").write_text(GUIDE, encoding="utf-8")
    with pytest.raises(ContentError) as caught:
        load_library(folder)
    assert len([p for p in caught.value.problems if "is not read" in str(p)]) == 2


def test_the_real_guides_are_complete(knowledge: Knowledge) -> None:
    assert list(knowledge.library.guides) == [
        "vneid-install", "vneid-activate", "vneid-bhyt", "vneid-new-phone", "otp", "app-android", "app-iphone",
        "missing-dose",
    ]  # fmt: skip


def reached(guide: Guide) -> set[str]:
    """Return the steps that a citizen can come to from the first one."""
    steps = {step.id: step for step in guide.steps}
    order = [step.id for step in guide.steps]
    found, waiting = set[str](), [order[0]]
    while waiting:
        step_id = waiting.pop()
        if step_id in found:
            continue
        found.add(step_id)
        step = steps[step_id]
        ways = [answer.goto for answer in step.answers] + [trouble.goto for trouble in step.trouble]
        waiting += [way.removeprefix("step:") for way in ways if way.startswith("step:")]
        if not step.answers or any(answer.goto == "next" for answer in step.answers):
            following = order.index(step_id) + 1
            waiting += [step.after or (order[following] if following < len(order) else "end")]
        waiting = [way for way in waiting if way != "end"]
    return found


def test_every_step_of_the_real_guides_can_be_reached(knowledge: Knowledge) -> None:
    for guide in knowledge.library.guides.values():
        assert reached(guide) == {step.id for step in guide.steps}, guide.id


def test_the_real_guides_say_the_terms_of_the_house(knowledge: Knowledge) -> None:
    for guide in knowledge.library.guides.values():
        text = guide.model_dump(exclude={"sources"})
        for said in vietnamese(text):
            assert not re.search(r"(?i)\b(?:apps?|smartphone|bot|vaccine|link)\b(?! store)", said), (guide.id, said)


def vietnamese(value: object) -> list[str]:
    """List the Vietnamese texts that citizens read, without the phrasings of their troubles."""
    if isinstance(value, dict):
        if isinstance(value.get("vi"), str):
            return [value["vi"]]
        return [said for key, inner in value.items() if key != "says" for said in vietnamese(inner)]
    if isinstance(value, list | tuple):
        return [said for inner in value for said in vietnamese(inner)]
    return []
