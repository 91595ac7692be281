"""Settings are read once, every problem is said at once, and no secret is ever shown."""

from __future__ import annotations

from pathlib import Path

import pytest

from app.settings import PREFIX, Settings, SettingsError, load


def env(**values: str) -> dict[str, str]:
    return {PREFIX + name.upper(): value for name, value in values.items()}


def test_defaults_need_nothing() -> None:
    settings = load({}, dotenv=None)
    assert (settings.lock_seconds, settings.portal_patience_seconds, settings.time_zone) == (30, 60, "Europe/Moscow")
    assert settings.ledger.startswith("sqlite:///")


def test_all_problems_at_once_without_the_values() -> None:
    with pytest.raises(SettingsError) as caught:
        load(
            env(
                lock_seconds="1",
                time_zone="Moscow",
                bitrix_webhook_url="http://portal.example/rest/1/s3cr3t/",
                web_listen="8090",
                language="fr",
                engine_url="localhost",
                bitrix_rate="быстро",
            ),
            dotenv=None,
        )
    text = "\n".join(caught.value.problems)
    for name in ("LOCK_SECONDS", "TIME_ZONE", "BITRIX_WEBHOOK_URL", "WEB_LISTEN", "LANGUAGE", "ENGINE_URL"):
        assert PREFIX + name in text
    assert "BITRIX_RATE" in text
    assert "s3cr3t" not in text


def test_http_portal_only_on_loopback() -> None:
    local = load(env(bitrix_webhook_url="http://127.0.0.1:8070/rest/1/token"), dotenv=None)
    assert local.bitrix_webhook_url is not None
    assert local.bitrix_webhook_url.get_secret_value().endswith("/rest/1/token/")


def test_secret_from_a_file(tmp_path: Path) -> None:
    (tmp_path / "pw").write_text("tiger\n")
    settings = load(env(engine_password_file=str(tmp_path / "pw")), dotenv=None)
    assert settings.engine_password is not None
    assert settings.engine_password.get_secret_value() == "tiger"
    assert "tiger" not in repr(settings)


def test_missing_secret_file_and_double_secret_are_named(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="ENGINE_PASSWORD_FILE"):
        load(env(engine_password_file=str(tmp_path / "none")), dotenv=None)
    (tmp_path / "pw").write_text("tiger")
    with pytest.raises(SettingsError, match="оставьте одно"):
        load(env(engine_password="x", engine_password_file=str(tmp_path / "pw")), dotenv=None)


def test_environment_wins_over_dotenv_and_empty_means_unset(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("ORDER_ROUTE_LOCK_SECONDS=7\nORDER_ROUTE_TIME_ZONE=Asia/Omsk\n")
    settings = load(env(lock_seconds="9", bitrix_rate=""), dotenv=tmp_path / ".env")
    assert (settings.lock_seconds, settings.time_zone, settings.bitrix_rate) == (9, "Asia/Omsk", 2)


def test_an_empty_secret_file_means_unset(tmp_path: Path) -> None:
    (tmp_path / "webhook").write_text("\n")
    assert load(env(bitrix_webhook_url_file=str(tmp_path / "webhook")), dotenv=None).bitrix_webhook_url is None


@pytest.mark.parametrize(
    ("address", "allowed"),
    [
        ("https://shop.bitrix24.ru/rest/1/key/", True),
        ("http://127.0.0.1:8100/rest/1/key/", True),
        ("http://sandbox:8100/rest/1/key/", True),
        ("http://shop.bitrix24.ru/rest/1/key/", False),
        ("http://10.0.0.7/rest/1/key/", False),
        ("http://2130706433/rest/1/key/", False),
    ],
)
def test_the_webhook_goes_over_plain_http_only_where_the_line_is_ours(address: str, allowed: bool) -> None:
    if allowed:
        load(env(bitrix_webhook_url=address), dotenv=None)
    else:
        with pytest.raises(SettingsError, match="https"):
            load(env(bitrix_webhook_url=address), dotenv=None)


def test_every_setting_says_what_it_is() -> None:
    assert all(info.description for info in Settings.model_fields.values())
