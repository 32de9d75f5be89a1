"""Drawn screens: small, readable at a telephone's width, the same in words; what is gone is no picture."""

from __future__ import annotations

import io
import re
import xml.etree.ElementTree as ET

import pytest
from PIL import Image

from bot.exports import screens
from bot.i18n.catalogue import Catalogue, load_catalogues
from bot.library.guides import GuideStep, screen_name
from bot.library.knowledge import Knowledge

CATALOGUES = load_catalogues(["vi", "en"])
LARGEST = 40_000  # bytes
SMALLEST_TYPE = 15  # pixels at a telephone's width of 360


def drawn_steps(knowledge: Knowledge) -> list[tuple[str, GuideStep]]:
    return [(guide.id, step) for guide in knowledge.library.guides.values() for step in guide.steps if step.screen]


def texts(svg: str) -> list[tuple[str, float, float, str]]:
    """List the words of a drawing: text, x, size, anchor."""
    found = []
    for element in ET.fromstring(svg).iter("{http://www.w3.org/2000/svg}text"):
        place = element.attrib
        found.append((element.text or "", float(place["x"]), float(place["font-size"]), place.get("text-anchor", "")))
    return found


@pytest.mark.parametrize("language", ["vi", "en"])
@pytest.mark.parametrize("theme", screens.THEMES)
def test_every_text_lies_within_the_telephone(knowledge: Knowledge, language: str, theme: screens.Theme) -> None:
    for guide_id, step in drawn_steps(knowledge):
        svg = screens.draw(step, CATALOGUES[language], theme)
        for text, x, size, anchor in texts(svg):
            width = screens.measure(text, int(size), 600)
            left = x - width / 2 if anchor else x
            assert size >= SMALLEST_TYPE, (guide_id, step.id, text)
            assert left >= 12, (guide_id, step.id, text)
            assert left + width <= screens.WIDTH - 12, (guide_id, step.id, text)


@pytest.mark.parametrize("language", ["vi", "en"])
def test_the_one_to_press_is_marked_once(knowledge: Knowledge, language: str) -> None:
    catalogue = CATALOGUES[language]
    marks = {catalogue.t(words) for words in ("Tap here", "Type here", "Look here", "Scan here", "Hold it here",
                                              "Choose here")}  # fmt: skip
    for guide_id, step in drawn_steps(knowledge):
        assert step.screen is not None
        shown = [text for text, *_ in texts(screens.draw(step, catalogue)) if text in marks]
        assert len(shown) == sum(element.press for element in step.screen.elements) == 1, (guide_id, step.id)


def test_unsure_screens_look_sketched_and_say_so(knowledge: Knowledge) -> None:
    for _, step in drawn_steps(knowledge):
        words = " ".join(text for text, *_ in texts(screens.draw(step, CATALOGUES["vi"])))
        assert ("màn hình có thể khác" in words) is step.unsure


@pytest.mark.parametrize("theme", screens.THEMES)
def test_the_largest_pictures_are_small_files(knowledge: Knowledge, theme: screens.Theme) -> None:
    svgs = [screens.draw(step, CATALOGUES["vi"], theme) for _, step in drawn_steps(knowledge)]
    for svg in sorted(svgs, key=len)[-4:]:
        picture = screens.render(svg)
        assert len(picture) <= LARGEST
        assert Image.open(io.BytesIO(picture)).width == screens.WIDTH * screens.SCALE


def test_a_drawing_is_the_same_each_time_and_holds_no_raw_words(knowledge: Knowledge) -> None:
    _, step = next((guide_id, step) for guide_id, step in drawn_steps(knowledge) if step.unsure)
    assert screens.draw(step, CATALOGUES["vi"]) == screens.draw(step, CATALOGUES["vi"])
    assert step.screen is not None
    label = step.screen.elements[0].label.model_copy(update={"vi": "a < b & c"})
    element = step.screen.elements[0].model_copy(update={"label": label})
    screen = step.screen.model_copy(update={"elements": (element,)})
    assert "a &lt; b &amp; c" in screens.draw(step.model_copy(update={"screen": screen}), CATALOGUES["vi"])


def test_a_name_leads_to_its_picture_and_a_strange_one_to_none(knowledge: Knowledge) -> None:
    pictures = screens.Screens(lambda: knowledge.library, CATALOGUES)
    guide = knowledge.library.guides["vneid-bhyt"]
    name = screen_name(guide.id, guide.steps[2], "vi")
    assert name == "screen:vneid-bhyt/integrate/vi"
    assert pictures.picture(name).startswith(b"\x89PNG")
    assert pictures.picture(name) != pictures.picture(name, "dark")
    for strange in ("screen:vneid-bhyt/integrate/fr", "screen:vneid-bhyt/gone/vi", "screen:gone/integrate/vi",
                    "screen:", "screen:vneid-install/ready/vi", "screen:../../vi"):  # fmt: skip
        assert pictures.picture(strange) == b"", strange


def colours_of(catalogue: Catalogue, step: GuideStep, theme: screens.Theme) -> set[str]:
    return set(re.findall(r"#[0-9a-f]{6}", screens.draw(step, catalogue, theme)))


def test_light_and_dark_share_no_ground(knowledge: Knowledge) -> None:
    _, step = drawn_steps(knowledge)[0]
    light, dark = (colours_of(CATALOGUES["vi"], step, theme) for theme in screens.THEMES)
    assert light & dark <= {"#ffffff"}
