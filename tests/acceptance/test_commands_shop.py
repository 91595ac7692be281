"""Commands against a running shop: orders come in once each, and what the command says is what the engine holds."""

from __future__ import annotations

import json
import re
import uuid
from pathlib import Path

import pytest
from command import run, settings_of
from pydantic import SecretStr
from samples import make_xlsx
from shop import Shop

pytestmark = [pytest.mark.acceptance, pytest.mark.engine]


@pytest.fixture
def env(shop: Shop, tmp_path: Path) -> dict[str, str]:
    return settings_of(shop, tmp_path / "data")


def order_file(folder: Path, key: str, **more: str) -> Path:
    (folder / "Эскиз.xlsx").write_bytes(make_xlsx())
    order = {
        "key": key,
        "initiator": "sokolova",
        "customerName": "ООО «Ёлочка»",
        "customerContact": "+7 900 000-00-01",
        "itemDescription": "Комод",
        "orderFile": "Эскиз.xlsx",
        **more,
    }
    path = folder / "order.json"
    path.write_text(json.dumps(order, ensure_ascii=False), encoding="utf-8")
    return path


def test_start_twice_is_one_order(shop: Shop, env: dict[str, str], tmp_path: Path) -> None:
    key = f"T-{uuid.uuid4().hex[:8]}"
    file = order_file(tmp_path, key, initiator=shop.member("orderCreators"))
    first, second = run("start", "--file", file, env=env), run("start", "--file", file, env=env)
    assert (first.code, second.code) == (0, 0), first.text + second.text
    assert key in first.out
    assert "уже есть" in second.out
    assert len(shop.reader.instances_of(key)) == 1


def test_start_refuses_a_stranger_and_a_missing_file(shop: Shop, env: dict[str, str], tmp_path: Path) -> None:
    stranger = run("start", "--file", order_file(tmp_path, "T-x", initiator=shop.member("workshop")), env=env)
    assert stranger.code == 2
    assert "orderCreators" in stranger.err
    lost = order_file(tmp_path, "T-y", initiator=shop.member("orderCreators"), orderFile="нет.pdf")
    assert "нет.pdf" in run("start", "--file", lost, env=env).err
    assert shop.reader.instances_of("T-y") == []


def test_import_once_names_bad_rows_and_reports_changes(shop: Shop, env: dict[str, str], tmp_path: Path) -> None:
    mark = uuid.uuid4().hex[:6]
    rows = [
        "key;customerName;customerContact;itemDescription;wishedBy;budget",
        f"{mark}/К-17;ООО «Ёлочка № 1»;+7 900 000-00-01;Шкаф-купе;25.12.2027;185000,50",
        f'{mark}/К-18;"Чайка, ИП";8 (900) 000-00-02;"Стол ""Дуб"";\nстолешница 40 мм";11.01.2028;64 900,00',
        f'{mark}/К-19;Кафе "У моста";;Барная стойка;30.11.2027;1.250',
        "Итого;;;;;249900,50",
    ]
    table = tmp_path / "orders.csv"
    table.write_text("\r\n".join(rows), encoding="cp1251")
    first = run("import", table, env=env)
    assert first.code == 1, first.text
    assert "Заведено 2" in first.out
    assert "строка 5" in first.out
    assert len(shop.reader.instances_of(f"{mark}/К-17")) == 1
    held = shop.reader.snapshot(shop.reader.instances_of(f"{mark}/К-18")[0]).variables
    assert held["itemDescription"] == 'Стол "Дуб";\nстолешница 40 мм'
    assert held["budget"] == "64900.00"
    assert "Заведено 0, уже было 2" in run("import", table, env=env).out
    table.write_text("\r\n".join(rows).replace("185000,50", "190000,00"), encoding="cp1251")
    changed = run("import", table, env=env)
    assert "изменения не применены" in changed.out
    assert "отличается 1" in changed.out
    assert shop.reader.snapshot(shop.reader.instances_of(f"{mark}/К-17")[0]).variables["budget"] == "185000.50"


def test_status_says_stage_and_holder(shop: Shop, env: dict[str, str]) -> None:
    order = shop.start_order()
    shop.carry_to(order, "UserTask_PrepareDesign")
    said = run("status", env=env)
    assert said.code == 0, said.text
    assert str(order.business_key) in said.out
    one = run("status", str(order.business_key), env=env)
    assert "Разработка документации" in one.out
    assert run("status", "НЕТ-ТАКОГО", env=env).code == 1


def test_deploy_and_bootstrap_again_change_nothing(env: dict[str, str]) -> None:
    run("deploy", env=env)
    again = run("deploy", env=env)
    assert (again.code, "Ничего не изменилось" in again.out) == (0, True), again.text
    run("bootstrap", env=env)
    assert "Всё уже так" in run("bootstrap", env=env).out


def test_a_new_password_is_shown_once_and_a_given_one_never(shop: Shop, env: dict[str, str], tmp_path: Path) -> None:
    identity, old = shop.admin.identity, shop.passwords["volkov"]
    said = run("bootstrap", "--reset-password", "volkov", env=env)
    fresh = re.fullmatch(r"volkov: новый пароль (\S+) \(показан один раз\)", said.out.strip())
    assert fresh and identity.password_is("volkov", SecretStr(fresh[1])), said.text
    file = tmp_path / "passwords"
    file.touch(0o600)
    file.write_text(f"volkov {old.get_secret_value()}\n", encoding="utf-8")
    back = run("bootstrap", "--reset-password", "volkov", "--passwords", file, env=env)
    assert (back.code, "как в файле" in back.out, old.get_secret_value() in back.text) == (0, True, False)
    assert identity.password_is("volkov", old)
    assert "нет в файле сотрудников" in run("bootstrap", "--reset-password", "nobody", env=env).text


def test_doctor_is_content(env: dict[str, str]) -> None:
    said = run("doctor", env=env)
    assert said.code == 0, said.text
    assert "Operaton" in said.out


def test_wrong_password_is_one_sentence(env: dict[str, str]) -> None:
    said = run("status", env=env | {"ORDER_ROUTE_INTEGRATION_PASSWORD": "wrong"})
    assert said.code == 1
    assert "wrong" not in said.text
