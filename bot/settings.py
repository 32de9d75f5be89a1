"""Every setting: its default, type and meaning; read from config.yaml, the environment and `.env`.

The environment wins over `.env`, which wins over the file. All problems are reported at once. A secret has no place
in the file and is never printed.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from datetime import date, time
from pathlib import Path
from typing import Annotated, Any, Literal, get_args
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from dotenv import dotenv_values
from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    SecretStr,
    ValidationError,
    model_validator,
)
from pydantic_settings import (
    BaseSettings,
    DotEnvSettingsSource,
    EnvSettingsSource,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
)

from bot.errors import ContentError, Problem, SettingsError
from bot.hours import QuietHours, WorkingHours
from bot.message import Window
from bot.yaml_document import Document, dotted, read_document, wording

ENVIRONMENT_PREFIX = "BOT_"
DATABASE_ADDRESS = r"sqlite:///.|postgresql://."
_NOT_SETTINGS = {"BOT_CONFIG"}


def _timezone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError):
        raise ValueError("must name a time zone such as Asia/Ho_Chi_Minh") from None
    return name


def _database(url: str) -> str:
    if not re.match(DATABASE_ADDRESS, url):
        raise ValueError("must be sqlite:///PATH or postgresql://HOST/NAME")
    return url


def _base_url(url: str) -> str:
    if url and not re.fullmatch(r"https?://[^\s/]+(/[^\s?#]*)?", url):
        raise ValueError("must be an http or https address without a query")
    return url.rstrip("/")


def _clock(value: object) -> object:
    # YAML 1.1 reads an unquoted 20:00 as the number 1200 (base 60).
    if isinstance(value, int | float):
        if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value < 1440:
            raise ValueError('must be a time of day such as "20:00"')
        return time(value // 60, value % 60)
    return f"0{value}" if isinstance(value, str) and re.fullmatch(r"\d:\d\d", value) else value


Weekday = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
WEEKDAYS: tuple[Weekday, ...] = get_args(Weekday)
Url = Annotated[str, AfterValidator(_base_url)]
Clock = Annotated[time, BeforeValidator(_clock)]
Host = Annotated[str, Field(pattern=r"^[a-z0-9-]+(\.[a-z0-9-]+)+$")]


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class WordingSettings(_Section):
    """A phrase in both languages."""

    vi: str = Field(min_length=1)
    en: str = Field(min_length=1)

    def in_language(self, language: str) -> str:
        """Return the phrase in a language."""
        return self.en if language == "en" else self.vi


class NameSettings(_Section):
    """The name of the agency in both languages; empty until an operator sets it."""

    vi: str = ""
    en: str = ""

    @model_validator(mode="after")
    def _both_languages_or_none(self) -> NameSettings:
        if bool(self.vi) != bool(self.en):
            raise ValueError("must be set in both languages, vi and en, or in neither")
        return self

    def __bool__(self) -> bool:
        """Return True if the operator has set a name."""
        return bool(self.vi)

    def in_language(self, language: str) -> str:
        """Return the name in a language; while none is set, what the agency is called on a trial."""
        return (self.en or UNNAMED.en) if language == "en" else (self.vi or UNNAMED.vi)


UNNAMED = WordingSettings(vi="đơn vị đang chạy thử trợ lý này", en="the team that is trying out this assistant")


class OperatorSettings(_Section):
    """Who runs the bot, as citizens read it."""

    name: NameSettings = NameSettings()
    place: str = "Phú Thọ"
    office_hours: WordingSettings = WordingSettings(
        vi="giờ hành chính, thứ Hai đến thứ Sáu", en="office hours, Monday to Friday"
    )
    answer_within: WordingSettings = WordingSettings(vi="2 ngày làm việc", en="2 working days")
    work_days: tuple[Weekday, ...] = Field(WEEKDAYS[:5], min_length=1)
    work_from: Clock = time(8, 0)
    work_until: Clock = time(17, 0)
    lunch_from: Clock = time(12, 0)
    lunch_until: Clock = time(12, 0)
    days_off: tuple[date, ...] = ()
    answer_days: int = Field(2, ge=1, le=30)
    show_officer_names: bool = False
    trusted_hosts: tuple[Host, ...] = (
        "vneid.gov.vn",
        "dichvucong.gov.vn",
        "moh.gov.vn",
        "bhxh.gov.vn",
        "baohiemxahoi.gov.vn",
        "vinhphuc.gov.vn",
        "phutho.gov.vn",
        "tiemchungcovid19.gov.vn",
        "play.google.com",
        "apps.apple.com",
    )

    @model_validator(mode="after")
    def _work_ends_after_it_begins(self) -> OperatorSettings:
        if self.work_from >= self.work_until:
            raise ValueError("work_from must be earlier than work_until")
        if not self.work_from < self.lunch_from <= self.lunch_until < self.work_until:
            raise ValueError("lunch_from and lunch_until must lie in the working hours, the same hour for no break")
        return self


class WebSettings(_Section):
    """The web server: web chat, webhooks, health."""

    host: str = "127.0.0.1"
    port: int = Field(8080, ge=0, le=65535)
    public_url: Url = ""
    largest_body: int = Field(65536, ge=1024)
    body_seconds: float = Field(10.0, gt=0)
    idle_seconds: float = Field(75.0, gt=0)
    event_streams: int = Field(2000, ge=1)

    def desk_link(self, key: str) -> str:
        """Return the address at which a key opens the desk."""
        return f"{self.public_url or f'http://{self.host}:{self.port}'}/desk/in?key={key}"


class TelegramSettings(_Section):
    """The Telegram channel; on when its token is set."""

    mode: Literal["polling", "webhook"] = "polling"
    api_base: Url = "https://api.telegram.org/bot"
    connections: int = Field(32, ge=1, le=1000)
    webhook_connections: int = Field(40, ge=1, le=100)
    answer_seconds: float = Field(15.0, gt=0)
    username: str = Field("", pattern=r"^([A-Za-z][A-Za-z0-9_]{3,30}[A-Za-z0-9])?$")
    token: SecretStr | None = None
    webhook_secret: SecretStr | None = None


class ZaloBotSettings(_Section):
    """The Zalo Bot Platform; on when its token is set."""

    mode: Literal["polling", "webhook"] = "polling"
    api_base: Url = "https://bot-api.zaloplatforms.com/bot"
    answer_seconds: float = Field(15.0, gt=0)
    poll_seconds: int = Field(30, ge=1, le=300)
    name: str = Field("", max_length=80)
    monthly_messages: int = Field(3000, ge=0)
    counts_incoming: bool = True
    picture_hours: float = Field(24.0, gt=0)
    token: SecretStr | None = None
    webhook_secret: SecretStr | None = Field(None, min_length=8, max_length=256)


class ZaloOASettings(_Section):
    """The Zalo Official Account; on when the app's id and secret are set."""

    link: Url = ""
    api_base: Url = "https://openapi.zalo.me"
    oauth_base: Url = "https://oauth.zaloapp.com"
    redirect_url: Url = ""
    oa_id: str = Field("", pattern=r"^\d*$")
    answer_seconds: float = Field(15.0, gt=0)
    buttons: bool = False
    button_template: str = ""
    quiet_minutes: int = Field(60, ge=0)
    free_hours: int = Field(48, ge=0)
    free_messages: int = Field(0, ge=0)
    paid_days: int = Field(7, ge=0)
    message_price: int = Field(55, ge=0)
    included_messages: int = Field(0, ge=0)
    app_id: SecretStr | None = None
    app_secret: SecretStr | None = None
    oa_secret: SecretStr | None = None
    refresh_token: SecretStr | None = None

    @property
    def window(self) -> Window:
        """What a message costs, by how long ago the person last wrote."""
        return Window(free_hours=self.free_hours, paid_days=self.paid_days, free_messages=self.free_messages)


class ChannelLimits(_Section):
    """How fast one platform may be written to; 0 switches a limit off."""

    bulk_per_second: float = Field(29.0, ge=0)
    chat_per_second: float = Field(1.0, ge=0)
    group_per_minute: float = Field(20.0, ge=0)


class LimitSettings(_Section):
    """What one person or one channel may do; 0 switches a limit off."""

    person_per_minute: int = Field(30, ge=0)
    most_waiting: int = Field(10_000, ge=0)
    web_per_second: int = Field(100, ge=0)
    longest_text: int = Field(2000, ge=100)
    new_sessions_per_minute: int = Field(600, ge=0)
    telegram: ChannelLimits = ChannelLimits()
    zalo_bot: ChannelLimits = ChannelLimits(bulk_per_second=1.0, chat_per_second=0.0)
    zalo_oa: ChannelLimits = ChannelLimits(bulk_per_second=1.5, chat_per_second=0.0)


class PrivacySettings(_Section):
    """How long things are kept, and which counts are too small to show."""

    small_count: int = Field(5, ge=0)
    question_days: int = Field(90, ge=1)
    message_hours: int = Field(48, ge=24)
    dialog_minutes: int = Field(60, ge=5)
    silent_days: int = Field(730, ge=30)
    ledger_days: int = Field(90, ge=30)
    revocation_days: int = Field(400, ge=30)


class ReminderSettings(_Section):
    """When and how often people may be written to first."""

    quiet_from: Clock = time(20, 0)
    quiet_until: Clock = time(8, 0)
    per_week: int = Field(1, ge=0)
    approve_above: int = Field(500, ge=0)
    summary_day: Weekday = "mon"
    summary_at: Clock = time(8, 0)
    timezone: Annotated[str, AfterValidator(_timezone)] = "Asia/Ho_Chi_Minh"


class SignatureSettings(_Section):
    """Who signs the official report; what is empty is left blank on paper, to be filled in by hand."""

    authority: str = ""
    position: str = ""
    name: str = ""


class BackupSettings(_Section):
    """The backups that the bot makes by itself."""

    daily_at: Clock = time(2, 30)
    keep: int = Field(14, ge=0)
    folder: str = ""


class ReportSettings(_Section):
    """The head and foot of the official report; what is empty is left blank on paper, to be filled in by hand."""

    parent_agency: str = ""
    agency: str = ""
    symbol: str = ""
    place: str = ""
    recipients: tuple[str, ...] = ()
    archive: str = "VT"
    signature: SignatureSettings = SignatureSettings()


class MapSettings(_Section):
    """Outlines for the maps; without a file they are schematic tiles."""

    outlines: str = ""
    attribution: str = ""

    @model_validator(mode="after")
    def _outlines_name_their_source(self) -> MapSettings:
        if self.outlines and not self.attribution:
            raise ValueError("attribution must say whose outlines these are")
        return self


class LogSettings(_Section):
    """How the bot reports on itself."""

    format: Literal["console", "json"] = "console"
    level: Literal["debug", "info", "warning", "error"] = "info"


class _OwnLines(DotEnvSettingsSource):
    """What a `.env` says to the bot; lines for other programs are none of its business."""

    def __call__(self) -> dict[str, Any]:
        return EnvSettingsSource.__call__(self)


class Settings(BaseSettings):
    """Everything that can be set; see config.yaml for what each key means."""

    model_config = SettingsConfigDict(
        env_prefix=ENVIRONMENT_PREFIX, env_nested_delimiter="__", extra="forbid", frozen=True, env_ignore_empty=True
    )

    database: Annotated[str, AfterValidator(_database)] = "sqlite:///data/bot.db"
    data: str = ""
    secret: SecretStr | None = None
    languages: tuple[Literal["vi", "en"], ...] = Field(("vi", "en"), min_length=1)
    region: Path = Path("content/regions/vinh-phuc.yaml")
    content: Path = Path("content")
    operator: OperatorSettings = OperatorSettings()
    web: WebSettings = WebSettings()
    telegram: TelegramSettings = TelegramSettings()
    zalo_bot: ZaloBotSettings = ZaloBotSettings()
    zalo_oa: ZaloOASettings = ZaloOASettings()
    limits: LimitSettings = LimitSettings()
    privacy: PrivacySettings = PrivacySettings()
    reminders: ReminderSettings = ReminderSettings()
    backup: BackupSettings = BackupSettings()
    report: ReportSettings = ReportSettings()
    map: MapSettings = MapSettings()
    log: LogSettings = LogSettings()

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Rank the sources: the environment, `.env`, then what the file gave."""
        assert isinstance(dotenv_settings, DotEnvSettingsSource)
        return env_settings, _OwnLines(settings_cls, env_file=dotenv_settings.env_file), init_settings

    @property
    def report_form(self) -> ReportSettings:
        """The head and foot of the official report; its place is the operator's where it has none of its own."""
        return self.report.model_copy(update={"place": self.report.place or self.operator.place})

    @property
    def default_language(self) -> str:
        """The language of a person who has not chosen one."""
        return self.languages[0]

    @property
    def database_path(self) -> Path | None:
        """Where the SQLite file lies; None with another engine."""
        path = self.database.removeprefix("sqlite:///")
        return None if path == self.database else Path(path)

    @property
    def data_folder(self) -> Path:
        """Where the bot keeps what it makes itself: the search index, its own secret, backups."""
        if self.data:
            return Path(self.data)
        return self.database_path.parent if self.database_path else Path("data")

    @property
    def secrets(self) -> Iterator[str]:
        """Everything that must never be shown, to be cut out of whatever is."""
        for key in secret_keys():
            value = _value(self, key)
            if isinstance(value, SecretStr):
                yield value.get_secret_value()

    @property
    def backup_folder(self) -> Path:
        """Where the backups lie that the bot makes by itself."""
        return Path(self.backup.folder) if self.backup.folder else self.data_folder / "backups"

    @property
    def zone(self) -> ZoneInfo:
        """The time zone in which days and quiet hours are counted."""
        return ZoneInfo(self.reminders.timezone)

    def start_links(self, payload: str) -> tuple[str, ...]:
        """Return the addresses that open the bot with a payload; on Zalo it is typed: `/start PAYLOAD`."""
        web, name = self.web, self.telegram.username
        links = (f"{web.public_url or f'http://{web.host}:{web.port}'}/?s={payload}",)
        return (*links, f"https://t.me/{name}?start={payload}") if name else links

    @property
    def quiet(self) -> QuietHours:
        """The hours in which the bot writes to nobody first."""
        return QuietHours(self.reminders.quiet_from, self.reminders.quiet_until, self.zone)

    @property
    def working(self) -> WorkingHours:
        """When officers work."""
        days = frozenset(WEEKDAYS.index(day) for day in self.operator.work_days)
        operator = self.operator
        return WorkingHours(
            days,
            operator.work_from,
            operator.work_until,
            self.zone,
            frozenset(operator.days_off),
            operator.lunch_from,
            operator.lunch_until,
        )


# What takes effect on SIGHUP; everything else is built in at the start.
CHANGEABLE = ("operator", "limits", "privacy", "report", "log.level")
_BUILT_IN = ("operator.name",)  # in the platforms' profiles


def changed_keys(old: Settings, new: Settings) -> list[str]:
    """List the keys in which two settings differ, secrets by their names only."""
    return [dotted(key) for key in all_keys() if not _is_section(key) and _value(old, key) != _value(new, key)]


def can_change(key: str) -> bool:
    """Tell whether a key takes effect while the bot runs."""

    def within(names: tuple[str, ...]) -> bool:
        return any(key == name or key.startswith(f"{name}.") for name in names)

    return within(CHANGEABLE) and not within(_BUILT_IN)


def changed(old: Settings, new: Settings) -> Settings:
    """Return the old settings with everything that can change while running taken from the new ones."""
    operator = new.operator.model_copy(update={"name": old.operator.name})
    log = old.log.model_copy(update={"level": new.log.level})
    update: dict[str, object] = {"operator": operator, "log": log}
    update |= {name: getattr(new, name) for name in ("limits", "privacy", "report")}
    return old.model_copy(update=update)


def _is_section(key: tuple[str, ...]) -> bool:
    return any(other[: len(key)] == key and len(other) > len(key) for other in all_keys())


def _value(settings: Settings, key: tuple[str, ...]) -> object:
    value: object = settings
    for part in key:
        value = getattr(value, part)
    return value


def load_settings(path: Path | None = None) -> Settings:
    """Read the settings of a file (default: `BOT_CONFIG`, else config.yaml) and the environment.

    A `.env` beside the file is read too. Raises SettingsError with every problem found.
    """
    named = path or os.environ.get("BOT_CONFIG")
    path = Path(named or "config.yaml")
    dotenv = path.parent / ".env"
    problems: list[Problem] = []
    document = Document(str(path), {})
    if named or path.exists():
        try:
            document = read_document(path)
        except ContentError as error:
            raise SettingsError(error.problems) from None
    if not isinstance(document.value, dict):
        raise SettingsError([document.problem((), "must be a mapping of keys to values.")])
    given = _variables(_read_dotenv(dotenv), str(dotenv))
    given.update(_variables(os.environ, "environment"))
    problems += _unknown_variables(given)
    problems += _secrets_in_file(document)
    problems += _password_in_file(document)
    problems += _odd_keys(document)
    try:
        settings = Settings(
            _env_file=dotenv if dotenv.exists() else None,
            **_without_secrets(document.value),
        )
    except ValidationError as error:
        problems += [
            problem
            for problem in (_as_problem(dict(e), document, given) for e in error.errors())
            if problem not in problems
        ]
        settings = None
    except ValueError as error:  # a broken JSON value in a variable
        problems.append(_as_variable_problem(str(error), given))
        settings = None
    if problems or settings is None:
        raise SettingsError(problems)
    return settings


def all_keys(model: type[BaseModel] = Settings, before: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """List every key, sections before what they hold."""
    for name, field in model.model_fields.items():
        yield (*before, name)
        if isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel):
            yield from all_keys(field.annotation, (*before, name))


def secret_keys() -> Iterator[tuple[str, ...]]:
    """List the keys whose values are secret."""
    for key in all_keys():
        model: type[BaseModel] = Settings
        for part in key[:-1]:
            section = model.model_fields[part].annotation
            assert isinstance(section, type) and issubclass(section, BaseModel)  # noqa: PT018 - all_keys went there
            model = section
        if SecretStr in get_args(model.model_fields[key[-1]].annotation):
            yield key


def variable_name(key: tuple[str | int, ...]) -> str:
    """Name the environment variable of a key."""
    return ENVIRONMENT_PREFIX + "__".join(str(part).upper() for part in key)


def _variables(source: Mapping[str, str | None], origin: str) -> dict[str, str]:
    return {name: origin for name in source if name.startswith(ENVIRONMENT_PREFIX)}


def _unknown_variables(given: Mapping[str, str]) -> Iterator[Problem]:
    known = _NOT_SETTINGS | {variable_name(key) for key in all_keys()}
    for variable, origin in sorted(given.items()):
        if variable not in known:
            yield Problem(origin, 0, f"{variable} is not a known setting.")


def _secrets_in_file(document: Document) -> Iterator[Problem]:
    for key in secret_keys():
        value: Any = document.value
        for part in key:
            value = value.get(part) if isinstance(value, dict) else None
        if value is not None:
            yield document.problem(
                key, f"{dotted(key)} is a secret: take it out of the file and set {variable_name(key)} instead."
            )


def _password_in_file(document: Document) -> Iterator[Problem]:
    url = document.value.get("database")
    if isinstance(url, str) and re.match(r"[^:/]+://[^/@]*:[^/@]+@|[^?]*[?](.*&)?password=", url):
        sentence = f"database holds a password: take it out of the file and set {variable_name(('database',))} instead."
        yield document.problem(("database",), sentence)


def _without_secrets(value: dict[str, Any]) -> dict[str, Any]:
    hidden = set(secret_keys())
    return {
        name: {k: v for k, v in inner.items() if (name, k) not in hidden} if isinstance(inner, dict) else inner
        for name, inner in value.items()
        if (name,) not in hidden and not _is_odd(name)
    }


def _read_dotenv(path: Path) -> Mapping[str, str | None]:
    try:
        return dotenv_values(path) if path.exists() else {}
    except OSError as error:
        raise SettingsError([Problem(str(path), 0, f"cannot be read: {error.strerror}.")]) from None
    except UnicodeDecodeError:
        raise SettingsError([Problem(str(path), 0, "is not UTF-8 text.")]) from None


def _is_odd(name: object) -> bool:
    # A leading underscore would reach pydantic's own switches.
    return not isinstance(name, str) or name.startswith("_")


def _odd_keys(document: Document) -> Iterator[Problem]:
    for name in document.value:
        if _is_odd(name):
            yield document.problem((str(name),), f"{name} is not a known key.")


def _as_variable_problem(said: str, given: Mapping[str, str]) -> Problem:
    named = re.search(r'for field "(\w+)"', said)
    if named is None:
        return Problem("environment", 0, f"{said}.")
    variable = variable_name((named[1],))
    return Problem(
        given.get(variable, "environment"), 0, f'{variable} must be JSON, such as ["vi", "en"] or {{"port": 8080}}.'
    )


def _as_problem(error: dict[str, Any], document: Document, given: Mapping[str, str]) -> Problem:
    location = tuple(part for part in error["loc"])
    secret = location in {*secret_keys(), ("database",)}  # its address may hold a password
    for length in range(len(location), 0, -1):
        variable = variable_name(location[:length])
        if variable in given:
            sentence = f"{variable} ({dotted(location)}) {wording(error, show_value=not secret)}"  # type: ignore[arg-type]
            return Problem(given[variable], 0, sentence)
    return document.problem(location, f"{dotted(location)} {wording(error, show_value=not secret)}")  # type: ignore[arg-type]
