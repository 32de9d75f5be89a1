"""Which addresses in an officer's text become links: those of official hosts only, whatever they are dressed up as."""

from __future__ import annotations

import pytest

from bot.text.links import escape_but_links, foreign_hosts, trusted_links
from bot.text.markup import spans, to_plain

TRUSTED = ("vneid.gov.vn", "vinhphuc.gov.vn", "play.google.com")
# What was typed, what can be tapped of it, and the hosts that are shown as text only.
TEXTS: dict[str, tuple[str, list[str], list[str]]] = {
    "with a scheme": ("Vào https://vneid.gov.vn/tai-ve?x=1 nhé.", ["https://vneid.gov.vn/tai-ve?x=1"], []),
    "without a scheme": ("Vào vneid.gov.vn.", ["https://vneid.gov.vn"], []),
    "a part of an official host": ("(soyte.vinhphuc.gov.vn/tin)", ["https://soyte.vinhphuc.gov.vn/tin"], []),
    "a store": ("https://play.google.com/store/apps/details?id=vn.x, rồi", [
        "https://play.google.com/store/apps/details?id=vn.x"
    ], []),
    "capitals": ("HTTPS://VNEID.GOV.VN", ["https://VNEID.GOV.VN"], []),
    "a shortener": ("bit.ly/abc", [], ["bit.ly"]),
    "an official name before a foreign end": ("https://vneid.gov.vn.evil.xyz/a", [], ["vneid.gov.vn.evil.xyz"]),
    "an official name behind another": ("https://fakevneid.gov.vn", [], ["fakevneid.gov.vn"]),
    "a user name": ("https://vneid.gov.vn@evil.com/x", [], ["evil.com"]),
    "an official name with a user name": ("https://a@vneid.gov.vn/x", [], ["vneid.gov.vn"]),
    "a port": ("https://vneid.gov.vn:8443/x", [], ["vneid.gov.vn"]),
    "numbers": ("http://1.2.3.4/x", [], ["1.2.3.4"]),
    "letters that look alike": ("https://vnеid.gov.vn", [], ["vnеid.gov.vn"]),  # a Cyrillic е
    "a dot of another script": ("http://vneid.gov.vn\u3002evil.com", [], ["vneid.gov.vn", "evil.com"]),
    "a part in letters that look alike": ("https://\u0430pp.vneid.gov.vn", [], ["\u0430pp.vneid.gov.vn"]),
    "marks": ("[vneid.gov.vn](https://evil.com) **đậm**", ["https://vneid.gov.vn"], ["evil.com"]),
    "both": ("vneid.gov.vn hoặc evil.com/vneid.gov.vn", ["https://vneid.gov.vn"], ["evil.com"]),
    "no address": ("Mời bạn.Cài bản 2.1/3 ngày 24.11.2026", [], []),
}  # fmt: skip


@pytest.mark.parametrize("name", TEXTS)
def test_only_official_addresses_can_be_tapped(name: str) -> None:
    typed, links, foreign = TEXTS[name]
    escaped = escape_but_links(typed, TRUSTED)
    assert [span.target for span in spans(escaped) if span.target] == links
    assert not any(span.bold for span in spans(escaped))
    shown = to_plain(escaped).replace("\u200b", "").replace("https://", "")
    assert shown == typed.replace("https://", "").replace("HTTPS://", "")
    assert foreign_hosts([typed], TRUSTED) == foreign
    assert len(trusted_links([typed], TRUSTED)) == len(links)


def test_nothing_is_tappable_where_no_host_is_trusted() -> None:
    assert not any(span.target for span in spans(escape_but_links("https://vneid.gov.vn vneid.gov.vn", ())))
