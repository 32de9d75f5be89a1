"""The web API keeps to the document that describes it, with good requests and with bad ones."""

from __future__ import annotations

import http.client
import json
from collections.abc import Iterator

import pytest
import schemathesis
import yaml
from hypothesis import HealthCheck, Phase, given
from hypothesis import settings as hypothesis_settings

from bot.library.knowledge import Knowledge
from bot.runtime.build import Service
from bot.web.app import make_app
from tests.conftest import ROOT, copy_learned
from tests.support.processes import RunningBot, running_bot
from tests.support.property_examples import examples

DOCUMENT = ROOT / "docs" / "openapi.yaml"
SCHEMA = schemathesis.openapi.from_path(DOCUMENT)
# A stream never ends; it is tried by tests/web/test_chat.py.
OPERATIONS = [
    operation
    for result in SCHEMA.get_all_operations()
    if (operation := result.ok()) is not None and operation.path != "/api/chat/events"
]
GOOD, BAD = schemathesis.GenerationMode.POSITIVE, schemathesis.GenerationMode.NEGATIVE
CASES = [
    *((operation, GOOD) for operation in OPERATIONS),
    *((operation, BAD) for operation in OPERATIONS if operation.body or operation.query),
]
OF_BROWSERS = {"/", "/hooks/telegram", "/hooks/zalo-bot", "/hooks/zalo-oa"}  # pages, and what platforms describe


@pytest.fixture(scope="module")
def bot(tmp_path_factory: pytest.TempPathFactory, knowledge: Knowledge) -> Iterator[RunningBot]:
    data = tmp_path_factory.mktemp("openapi")
    copy_learned(data)
    limits = {f"BOT_LIMITS__{name}": "0" for name in ("PERSON_PER_MINUTE", "WEB_PER_SECOND", "NEW_SESSIONS_PER_MINUTE")}
    with running_bot(data, **limits) as running:
        yield running


@pytest.mark.parametrize(("operation", "mode"), CASES, ids=lambda part: getattr(part, "label", "") or part.value)
def test_the_api_keeps_to_its_document(
    bot: RunningBot, operation: schemathesis.APIOperation, mode: schemathesis.GenerationMode
) -> None:
    @hypothesis_settings(
        max_examples=examples(25), deadline=None, phases=[Phase.explicit, Phase.generate],
        suppress_health_check=list(HealthCheck),
    )  # fmt: skip
    @given(case=operation.as_strategy(generation_mode=mode))
    def check(case: schemathesis.Case) -> None:
        response = case.call(base_url=bot.url)
        assert response.status_code < 500
        operation.validate_response(response)
        assert str(response.status_code) in operation.definition.raw["responses"]

    check()


def test_one_question_over_the_wire(bot: RunningBot) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", bot.port, timeout=20)
    connection.request("POST", "/api/chat", json.dumps({"text": "quên mật khẩu"}), {"Content-Type": "application/json"})
    answer = json.loads(connection.getresponse().read())
    connection.close()
    assert answer["replies"][0]["text"]


async def test_the_document_names_every_address(service: Service) -> None:
    document = yaml.safe_load(DOCUMENT.read_text(encoding="utf-8"))
    served = {
        resource.canonical
        for resource in make_app(service).router.resources()
        if not resource.canonical.startswith(("/desk", "/static", "/hooks/", "/p/")) and "{" not in resource.canonical
    }
    assert set(document["paths"]) == served - OF_BROWSERS
