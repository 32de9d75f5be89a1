"""Messages and replies are read as they were written."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.message import Attachment, Button, IncomingMessage, Outcome, Person, Reply
from bot.serialization import dump_message, dump_outcome, dump_reply, load_message, load_outcome, load_reply

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=80)
MILLISECONDS = st.datetimes(datetime(1970, 1, 1), datetime(2200, 1, 1), timezones=st.just(UTC)).map(
    lambda at: at.replace(microsecond=at.microsecond // 1000 * 1000)
)
MESSAGES = st.builds(
    IncomingMessage,
    person=st.builds(Person, TEXT, TEXT),
    id=TEXT,
    at=MILLISECONDS,
    text=TEXT,
    choice=TEXT,
    source=TEXT,
    attachment=TEXT,
    withheld=st.lists(st.sampled_from(["otp", "identity", "too-long"]), max_size=3).map(tuple),
)
REPLIES = st.builds(
    Reply,
    TEXT,
    st.lists(st.builds(Button, TEXT, TEXT), max_size=4).map(tuple),
    st.binary(max_size=40) | TEXT.filter(bool),
    TEXT,
    st.none() | st.builds(Attachment, TEXT, TEXT, st.binary(max_size=40)),
)


@given(message=MESSAGES)
def test_messages(message: IncomingMessage) -> None:
    written = dump_message(message)
    assert load_message(written, person=message.person, message_id=message.id) == message


@given(message=MESSAGES)
def test_a_written_message_names_nobody(message: IncomingMessage) -> None:
    assert set(json.loads(dump_message(message))) <= {
        "at", "text", "choice", "source", "attachment", "withheld", "invitation", "contact", "left",
    } | set(IncomingMessage.__dataclass_fields__) - {"person", "id"}  # fmt: skip


@given(reply=REPLIES)
def test_replies(reply: Reply) -> None:
    assert load_reply(dump_reply(reply)) == reply


@given(replies=st.lists(REPLIES, max_size=3), erased=st.booleans())
def test_what_a_message_led_to(replies: list[Reply], *, erased: bool) -> None:
    assert load_outcome(dump_outcome(replies, erased=erased)) == Outcome(tuple(replies), erased)


def test_nothing_kept_is_nothing_said() -> None:
    assert load_outcome("") == Outcome()


OLD: list[tuple[str, Reply]] = [
    ('{"text":"Chào bạn"}', Reply("Chào bạn")),
    ('{"text":"a","buttons":[["Có","yes:"]]}', Reply("a", (Button("Có", "yes:"),))),
    ('{"text":"","picture":"aGk=","alt":"ảnh"}', Reply("", (), b"hi", "ảnh")),
    ('{"text":"","image":"https://a.vn/b.png"}', Reply("", (), "https://a.vn/b.png")),
    ('{"text":"x","file":["a.json","application/json","e30="]}',
     Reply("x", file=Attachment("a.json", "application/json", b"{}"))),
]  # fmt: skip


@pytest.mark.parametrize(("written", "reply"), OLD)
def test_what_stands_in_databases_can_still_be_read(written: str, reply: Reply) -> None:
    """Rows of an older version wait in the inbox over an update."""
    assert load_reply(written) == reply
