"""Settings: what wins over what, every problem at once with its key and line, and no secret shown."""

from __future__ import annotations

import re
from datetime import time
from pathlib import Path

import pytest

from bot.errors import SettingsError
from bot.settings import Settings, all_keys, load_settings, secret_keys, variable_name
from tests.conftest import ROOT

LONG_SECRET = "hush-hush-hush-hush-hush-hush-hush-hush"


def load(
    folder: Path, monkeypatch: pytest.MonkeyPatch, config: str | bytes = "", dotenv: str | bytes = "", **env: str
) -> Settings:
    (folder / "config.yaml").write_bytes(config if isinstance(config, bytes) else config.encode())
    if dotenv:
        (folder / ".env").write_bytes(dotenv if isinstance(dotenv, bytes) else dotenv.encode())
    for name, value in env.items():
        monkeypatch.setenv(name, value)
    return load_settings(folder / "config.yaml")


def problems(error: SettingsError, folder: Path) -> list[str]:
    return [str(problem).replace(f"{folder}/", "") for problem in error.problems]


# config.yaml, .env, environment → what is complained about, one line each.
BAD: list[tuple[str | bytes, str | bytes, dict[str, str], list[str]]] = [
    ("colour: red", "", {}, ["config.yaml:1: colour is not a known key."]),
    ("web:\n  prot: 1", "", {}, ["config.yaml:2: web.prot is not a known key."]),
    ("web: 5", "", {}, ["config.yaml:1: web must be a mapping, not 5."]),
    ("web:", "", {}, ["config.yaml:1: web must be a mapping."]),
    ("database:", "", {}, ["config.yaml:1: database must be text."]),
    ("\n\nweb:\n  # why\n  port: abc", "", {}, ["config.yaml:5: web.port must be a whole number, not 'abc'."]),
    ("web: {port: 65536}", "", {}, ["config.yaml:1: web.port must be at most 65535, not 65536."]),
    ("limits: {person_per_minute: -1}", "", {},
     ["config.yaml:1: limits.person_per_minute must be at least 0, not -1."]),
    ("privacy: {message_hours: 1}", "", {}, ["config.yaml:1: privacy.message_hours must be at least 24, not 1."]),
    ("database: mysql://x", "", {}, ["config.yaml:1: database must be"]),
    ("database: postgresql://bot:hush@db/bot", "", {},
     ["config.yaml:1: database holds a password: take it out of the file and set BOT_DATABASE instead."]),
    ("database: postgresql://db/bot?user=bot&password=hush", "", {},
     ["config.yaml:1: database holds a password: take it out of the file and set BOT_DATABASE instead."]),
    ("", "", {"BOT_DATABASE": "postgres//bot:hush@db"},
     ["environment: BOT_DATABASE (database) must be sqlite:///PATH or postgresql://HOST/NAME."]),
    ("log: {level: loud}", "", {},
     ["config.yaml:1: log.level must be 'debug', 'info', 'warning' or 'error', not 'loud'."]),
    ("reminders: {timezone: Mars/Base}", "", {},
     ["config.yaml:1: reminders.timezone must name a time zone such as Asia/Ho_Chi_Minh, not 'Mars/Base'."]),
    ("reminders: {quiet_from: 25:00}", "", {},
     ['config.yaml:1: reminders.quiet_from must be a time of day such as "20:00", not 1500.']),
    ("reminders: {quiet_from: 7.5}", "", {},
     ['config.yaml:1: reminders.quiet_from must be a time of day such as "20:00", not 7.5.']),
    ("web: {public_url: 'ftp://x'}", "", {},
     ["config.yaml:1: web.public_url must be an http or https address without a query, not 'ftp://x'."]),
    ("languages: []", "", {}, ["config.yaml:1: languages must hold at least 1"]),
    ("operator: {name: {vi: '', en: x}}", "", {},
     ["config.yaml:1: operator.name must be set in both languages, vi and en, or in neither."]),
    ("reminders: {quiet_from: late}", "", {},
     ['config.yaml:1: reminders.quiet_from must be a time of day such as "20:00", not \'late\'.']),
    ("- a\n- b", "", {}, ["config.yaml:1: must be a mapping of keys to values."]),
    ("just words", "", {}, ["config.yaml:1: must be a mapping of keys to values."]),
    ("5: x", "", {}, ["config.yaml:1: 5 is not a known key."]),
    ("_env_prefix: X_", "", {}, ["config.yaml:1: _env_prefix is not a known key."]),
    ("_env_file: x", "", {}, ["config.yaml:1: _env_file is not a known key."]),
    ("? [a, b]\n: c", "", {}, ["config.yaml:1: a key must be a plain word."]),
    ("web: {port: 1}\nweb: {port: 2}", "", {}, ["config.yaml:2: web stands here a second time."]),
    ("web: {port: 1", "", {}, ["config.yaml:2: is not valid YAML"]),
    ("web:\n\tport: 1", "", {}, ["config.yaml:2: is not valid YAML"]),
    ("web: {}\nlog: \x07", "", {}, ["config.yaml:2: holds the character U+0007, which YAML does not allow."]),
    (b"web: \xff\xfe", "", {}, ["config.yaml: is not UTF-8 text."]),
    ("secret: hush", "", {},
     ["config.yaml:1: secret is a secret: take it out of the file and set BOT_SECRET instead."]),
    ("telegram:\n  token: hush", "", {},
     ["config.yaml:2: telegram.token is a secret: take it out of the file and set BOT_TELEGRAM__TOKEN instead."]),
    ("", "BOT_COLOUR=red", {}, [".env: BOT_COLOUR is not a known setting."]),
    ("", "BOT_WEB__PORT=abc", {}, [".env: BOT_WEB__PORT (web.port) must be a whole number, not 'abc'."]),
    ("", b"BOT_SECRET=\xff", {}, [".env: is not UTF-8 text."]),
    ("", "", {"BOT_COLOUR": "red"}, ["environment: BOT_COLOUR is not a known setting."]),
    ("", "", {"BOT_WEB__PORT": "abc"}, ["environment: BOT_WEB__PORT (web.port) must be a whole number, not 'abc'."]),
    ("", "", {"BOT_LANGUAGES": "vi"}, ["environment: BOT_LANGUAGES must be JSON, such as"]),
    ("", "", {"BOT_WEB": "{port"}, ["environment: BOT_WEB must be JSON, such as"]),
    # all of them, not just the first
    ("web:\n  port: abc\ncolour: red\nsecret: hush\nlog: {format: xml}", "BOT_X=1", {"BOT_Y": "1"},
     [".env: BOT_X is", "config.yaml:2: web.port", "config.yaml:3: colour", "config.yaml:4: secret",
      "config.yaml:5: log", "environment: BOT_Y is"]),
]  # fmt: skip


@pytest.mark.parametrize(("config", "dotenv", "env", "expected"), BAD, ids=[repr((r[0], r[1], *r[2])) for r in BAD])
def test_every_problem_is_one_sentence_that_names_its_key(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, config: str, dotenv: str, env: dict[str, str], expected: list[str]
) -> None:
    with pytest.raises(SettingsError) as caught:
        load(tmp_path, monkeypatch, config, dotenv, **env)
    found = problems(caught.value, tmp_path)
    assert len(found) == len(expected), found
    for line, beginning in zip(found, expected, strict=True):
        assert line.startswith(beginning)
        assert "\n" not in line
        assert line.endswith(".")
    assert "hush" not in str(caught.value)


def test_a_named_file_must_be_there(tmp_path: Path) -> None:
    for path, reason in ((tmp_path / "no.yaml", "No such file"), (tmp_path, "Is a directory")):
        with pytest.raises(SettingsError, match=f"cannot be read: {reason}"):
            load_settings(path)


def test_without_a_file_the_defaults_hold(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert load_settings() == Settings()


def test_the_environment_wins_over_dotenv_wins_over_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    config = "web: {port: 1, host: file}\nlog: {level: error}\nlimits: {longest_text: 500}"
    dotenv = "BOT_WEB__PORT=2\nBOT_LOG__LEVEL=warning\n# a comment\nCOMPOSE_PROJECT_NAME=other\nEMPTY=\n"
    settings = load(tmp_path, monkeypatch, config, dotenv, BOT_WEB__PORT="3")
    assert (settings.web.port, settings.web.host) == (3, "file")
    assert (settings.log.level, settings.limits.longest_text) == ("warning", 500)


def test_an_empty_variable_is_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = load(tmp_path, monkeypatch, "web: {port: 7}", BOT_WEB__PORT="", BOT_SECRET="")
    assert (settings.web.port, settings.secret) == (7, None)


def test_bot_config_names_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "other.yaml").write_text("web: {port: 9}")
    monkeypatch.setenv("BOT_CONFIG", str(tmp_path / "other.yaml"))
    assert load_settings().web.port == 9


def test_a_whole_section_can_come_as_json(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = load(tmp_path, monkeypatch, BOT_WEB='{"port": 5}', BOT_LANGUAGES='["en"]')
    assert (settings.web.port, settings.languages, settings.default_language) == (5, ("en",), "en")


HOURS: list[tuple[str, time]] = [
    ('"20:00"', time(20)),
    ("20:00", time(20)),  # YAML 1.1 reads this one as 1200
    ("08:05", time(8, 5)),
    ("0:00", time(0)),
    ('"06:30:00"', time(6, 30)),
]


@pytest.mark.parametrize(("written", "meant"), HOURS)
def test_hours_may_be_written_with_and_without_quotes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, written: str, meant: time
) -> None:
    assert load(tmp_path, monkeypatch, f"reminders: {{quiet_from: {written}}}").reminders.quiet_from == meant


DATABASES: list[tuple[str, Path | None, Path]] = [
    ("sqlite:///data/bot.db", Path("data/bot.db"), Path("data")),
    ("sqlite:////srv/bot/bot.db", Path("/srv/bot/bot.db"), Path("/srv/bot")),
    ("postgresql://db.example.vn/bot", None, Path("data")),
]


@pytest.mark.parametrize(("url", "path", "folder"), DATABASES)
def test_where_the_records_lie(url: str, path: Path | None, folder: Path) -> None:
    settings = Settings(database=url)
    assert (settings.database_path, settings.data_folder) == (path, folder)


def test_secrets_come_from_the_environment_and_are_never_shown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = load(tmp_path, monkeypatch, "", f"BOT_TELEGRAM__TOKEN={LONG_SECRET}", BOT_SECRET=LONG_SECRET)
    assert settings.secret is not None
    assert settings.secret.get_secret_value() == LONG_SECRET
    for shown in (repr(settings), str(settings), str(settings.model_dump()), settings.model_dump_json()):
        assert "hush" not in shown
    with pytest.raises(SettingsError) as caught:
        load(tmp_path, monkeypatch, "", BOT_TELEGRAM=f'{{"token": ["{LONG_SECRET}"]}}')
    assert "hush" not in str(caught.value)


def test_settings_cannot_be_changed_while_running() -> None:
    with pytest.raises(ValueError, match="frozen"):
        Settings().languages = ("en",)  # type: ignore[misc]


# config.yaml is the documentation of the settings: every key stands there, with its default and a comment above.


def commented_keys() -> dict[tuple[str, ...], str]:
    """Read config.yaml as a person does: each key with the comment above it."""
    found: dict[tuple[str, ...], str] = {}
    path: list[tuple[int, str]] = []
    comment = ""
    for line in (ROOT / "config.yaml").read_text(encoding="utf-8").splitlines():
        if line.strip().startswith("#"):
            comment += line.strip("# ")
        elif match := re.match(r"( *)([a-z_]+):", line):
            depth = len(match[1])
            path = [*(part for part in path if part[0] < depth), (depth, match[2])]
            found[tuple(name for _, name in path)] = comment
            comment = ""
        else:
            comment = ""
    return found


SECRETS = set(secret_keys())
OF_WORDINGS = {"vi", "en"}  # said once, above the phrase


@pytest.mark.parametrize("key", [key for key in all_keys() if key not in SECRETS], ids=".".join)
def test_every_key_stands_in_config_yaml_with_a_comment(key: tuple[str, ...]) -> None:
    documented = commented_keys()
    assert key in documented
    # What stands in several sections alike is explained in the first of them.
    alike = [other for other in documented if (*other[:-2], other[-1]) == (*key[:-2], key[-1]) and other[-2:-1]]
    explained = any(len(documented[other]) > 8 for other in (alike if len(key) > 2 else [key]))
    assert explained or key[-1] in OF_WORDINGS, f"{'.'.join(key)} has no comment above it"


def test_config_yaml_holds_no_other_key_and_no_secret() -> None:
    assert set(commented_keys()) == set(all_keys()) - SECRETS
    assert {("secret",), ("telegram", "token"), ("telegram", "webhook_secret")} <= SECRETS


def test_config_yaml_shows_the_defaults(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    assert load_settings(Path("config.yaml")) == Settings()


def test_names_of_variables() -> None:
    assert variable_name(("web", "port")) == "BOT_WEB__PORT"
    assert variable_name(("database",)) == "BOT_DATABASE"


NAMED = [
    ("", "đơn vị đang chạy thử trợ lý này", "the team that is trying out this assistant", False),
    ("operator: {name: {vi: Sở Y tế, en: the Health Department}}", "Sở Y tế", "the Health Department", True),
]


@pytest.mark.parametrize(("config", "vietnamese", "english", "named"), NAMED)
def test_agency_without_a_name_is_a_team_on_trial(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, config: str, vietnamese: str, english: str, named: bool
) -> None:
    name = load(tmp_path, monkeypatch, config).operator.name
    assert (name.in_language("vi"), name.in_language("en"), bool(name)) == (vietnamese, english, named)


PLACES = [
    ("", "Phú Thọ"),
    ("operator: {place: Vĩnh Yên}", "Vĩnh Yên"),
    ("report: {place: Hà Nội}", "Hà Nội"),
    ("operator: {place: ''}", ""),
]


@pytest.mark.parametrize(("config", "place"), PLACES)
def test_report_takes_its_own_place_before_the_operators(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, config: str, place: str
) -> None:
    assert load(tmp_path, monkeypatch, config).report_form.place == place
