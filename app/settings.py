"""Settings: environment, then `.env`; a secret may also come from a file named by `…_FILE`.

Every name carries the prefix ``ORDER_ROUTE_``. `load` reads all of them once and lists every problem at once,
in words that say what to set; nobody else reads the environment. README's table of settings is tested against
`Settings.model_fields`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, available_timezones

from dotenv import dotenv_values
from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError, field_validator

PREFIX = "ORDER_ROUTE_"
_LOOPBACK = {"127.0.0.1", "localhost", "::1"}


class SettingsError(Exception):
    """One or more settings are wrong; `problems` holds one Russian sentence for each."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems


class Settings(BaseModel):
    """All settings of every program. Names are the environment's without the prefix, in lower case."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    engine_url: str | None = Field(None, description="адрес чужого движка; пусто: свой, встроенный")
    engine_user: str = Field("worker", description="учётная запись исполнителя внешних задач")
    engine_password: SecretStr | None = Field(None, description="её пароль")
    integration_user: str = Field("integration", description="учётная запись, которая читает движок и пишет карточку")
    integration_password: SecretStr | None = Field(None, description="её пароль")
    deploy_user: str = Field("deployer", description="учётная запись, которая публикует диаграммы")
    deploy_password: SecretStr | None = Field(None, description="её пароль")
    admin_user: str = Field("admin", description="администратор движка: bootstrap, retry, doctor")
    admin_password: SecretStr | None = Field(None, description="его пароль")
    bitrix_webhook_url: SecretStr | None = Field(
        None, description="входящий вебхук портала, https://портал/rest/USER/TOKEN/; http только на этом компьютере"
    )
    bitrix_entity_type_id: int | None = Field(
        None, ge=128, description="номер смарт-процесса; пусто: найти или создать"
    )
    bitrix_poll_seconds: int = Field(10, ge=1, le=3600, description="как часто смотреть изменения в портале, секунд")
    bitrix_application_token: SecretStr | None = Field(
        None, description="токен исходящего вебхука; при смене два через запятую; пусто: события не принимаются"
    )
    bitrix_rate: float = Field(2, gt=0, le=1000, description="запросов к порталу в секунду")
    bitrix_burst: int = Field(50, ge=1, le=10000, description="запросов подряд, пока портал не попросит подождать")
    public_url: str | None = Field(None, description="внешний адрес WEB_LISTEN, https://…: события, страница шага")
    web_listen: str = Field("127.0.0.1:8090", description="может смотреть в интернет: /healthz, события, шаги")
    board_listen: str = Field("127.0.0.1:8091", description="внутренний адрес: доска, /readyz, /metrics")
    lock_seconds: int = Field(30, ge=2, le=3600, description="блокировки внешних задач и аренды заказов, секунд")
    reconcile_seconds: int = Field(300, ge=2, le=86400, description="как часто сверять все карточки, секунд")
    portal_patience_seconds: int = Field(60, ge=1, le=3600, description="сколько шаг ждёт портал, секунд")
    data_dir: Path = Field(Path("data"), description="папка данных: база движка, журнал эффектов, журналы")
    ledger_url: SecretStr | None = Field(None, description="база журнала эффектов; пусто: SQLite в папке данных")
    engine_database_url: SecretStr | None = Field(
        None, description="база движка в PostgreSQL, только для backup и restore: postgresql://user:password@host/base"
    )
    staff_file: Path = Field(Path("config/staff.toml"), description="сотрудники, группы, замещения")
    calendar_file: Path = Field(Path("config/calendar.toml"), description="рабочий календарь")
    targets_file: Path = Field(Path("config/targets.toml"), description="цели показателей и месяц для сравнения")
    time_zone: str = Field("Europe/Moscow", description="часовой пояс цеха")
    language: Literal["ru", "en"] = Field("ru", description="язык экранов движка")
    log_format: Literal["auto", "json", "console"] = Field("auto", description="вид журнала")
    smtp_url: SecretStr | None = Field(None, description="почта для писем заказчику, smtp://user:pass@host:port")
    clamd: str | None = Field(None, description="антивирус clamd: host:port или путь к сокету")
    attachment_types: str | None = Field(None, description="разрешённые виды файлов через запятую; пусто: все")
    attachment_max_mib: int = Field(20, ge=1, le=20, description="наибольший файл, МиБ")
    bonus_act: str | None = Field(None, description="локальный акт о премиях, номер и дата; пусто: только баллы")
    server_jar: Path | None = Field(None, description="файл сервера Operaton; пусто: собранный в server/target")
    history_days: int = Field(1095, ge=1, le=36500, description="сколько дней движок хранит законченные заказы")

    @field_validator("engine_url")
    @classmethod
    def _engine(cls, value: str | None) -> str | None:
        if value is None:
            return None
        parts = urlsplit(value)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ValueError("нужен адрес вида http://127.0.0.1:8080/engine-rest")
        return value.rstrip("/")

    @field_validator("bitrix_webhook_url")
    @classmethod
    def _webhook(cls, value: SecretStr | None) -> SecretStr | None:
        if value is None:
            return None
        parts = urlsplit(value.get_secret_value())
        if not re.fullmatch(r"/rest/\d+/[^/\s]+/?", parts.path) or not parts.hostname:
            raise ValueError("нужен адрес вида https://портал/rest/НОМЕР/КЛЮЧ/")
        if parts.scheme != "https" and not (parts.scheme == "http" and _stays_inside(parts.hostname)):
            raise ValueError("портал нужен по https; http разрешён только на этом компьютере и внутри сети контейнеров")
        return SecretStr(value.get_secret_value().rstrip("/") + "/")

    @field_validator("public_url")
    @classmethod
    def _public(cls, value: str | None) -> str | None:
        if value is None:
            return None
        parts = urlsplit(value)
        if (
            parts.scheme not in ("http", "https")
            or not parts.hostname
            or parts.path.strip("/")
            or "?" in value
            or "#" in value
        ):
            raise ValueError("нужен адрес вида https://заказы.пример.рф без пути, вопроса и решётки")
        if parts.scheme == "http" and not _stays_inside(parts.hostname):
            raise ValueError("нужен https; http разрешён только на этом компьютере и внутри сети контейнеров")
        return value.rstrip("/")

    @property
    def application_tokens(self) -> list[SecretStr]:
        """Return the tokens that an event may carry; two while the portal's is being changed."""
        held = self.bitrix_application_token.get_secret_value() if self.bitrix_application_token else ""
        return [SecretStr(each.strip()) for each in held.split(",") if each.strip()]

    @field_validator("web_listen", "board_listen")
    @classmethod
    def _listen(cls, value: str) -> str:
        host, _, port = value.rpartition(":")
        if not host or not port.isdigit() or int(port) > 65535:
            raise ValueError("нужны адрес и порт, например 127.0.0.1:8090")
        return value

    @field_validator("time_zone")
    @classmethod
    def _zone(cls, value: str) -> str:
        if value not in available_timezones():
            raise ValueError("нет такого часового пояса; пример: Europe/Moscow")
        return value

    @property
    def zone(self) -> ZoneInfo:
        """Return the plant's time zone."""
        return ZoneInfo(self.time_zone)

    @property
    def ledger(self) -> str:
        """Return the ledger's database address; SQLite in the data folder unless one is set."""
        if self.ledger_url is not None:
            return self.ledger_url.get_secret_value()
        return f"sqlite:///{(self.data_dir / 'ledger.db').absolute()}"


def _stays_inside(host: str) -> bool:
    """Tell whether requests to this host never cross a foreign line: loopback, or a container's name without a dot."""
    return host in _LOOPBACK or re.fullmatch(r"[A-Za-z][A-Za-z0-9_-]*", host) is not None


def split_listen(value: str) -> tuple[str, int]:
    """Return (host, port) of a checked ``host:port``."""
    host, _, port = value.rpartition(":")
    return host, int(port)


def load(environ: Mapping[str, str], dotenv: Path | None = Path(".env")) -> Settings:
    """Read the settings.

    The environment wins over `dotenv`; an empty value means "not set". Raises SettingsError with all problems.
    """
    raw: dict[str, str] = {}
    if dotenv is not None and dotenv.is_file():
        raw |= {k: v for k, v in dotenv_values(dotenv).items() if v is not None}
    raw |= dict(environ)
    values: dict[str, Any] = {}
    problems: list[str] = []
    for field, info in Settings.model_fields.items():
        name = PREFIX + field.upper()
        if raw.get(name, "").strip():
            values[field] = raw[name].strip()
        if "SecretStr" not in str(info.annotation) or not raw.get(f"{name}_FILE", "").strip():
            continue
        if field in values:
            problems.append(f"{name}: задано и само значение, и {name}_FILE; оставьте одно")
            continue
        try:
            if secret := Path(raw[f"{name}_FILE"].strip()).read_text(encoding="utf-8").strip():
                values[field] = secret  # an empty file means "not set", as an empty value does
        except (OSError, UnicodeDecodeError):
            problems.append(f"{name}_FILE: файл не читается, укажите существующий файл с одной строкой")
    try:
        settings = Settings(**values)
    except ValidationError as error:
        problems += [_problem(item) for item in error.errors()]
    if problems:
        raise SettingsError(sorted(problems))
    return settings


def _problem(item: Any) -> str:
    """Say what to set, without the value: it may be a secret."""
    field = str(item["loc"][0])
    kind, context = str(item["type"]), item.get("ctx", {})
    if kind == "value_error":
        what = str(context.get("error", ""))
    elif kind == "literal_error":
        what = f"нужно одно из: {str(context.get('expected', '')).replace(' or ', ', ')}"
    elif kind.startswith(("greater_than", "less_than")):
        bound = next(iter(context.values()), "")
        words = {"greater_than": "больше", "greater_than_equal": "не меньше"}
        words |= {"less_than": "меньше", "less_than_equal": "не больше"}
        what = f"нужно число {words[kind]} {bound}"
    else:
        what = "нужно число" if "int" in kind or "float" in kind else "значение не подходит"
    description = Settings.model_fields[field].description or ""
    return f"{PREFIX}{field.upper()}: {what} ({description})"
