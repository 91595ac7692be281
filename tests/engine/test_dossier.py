"""Rule: the dossier holds everything the engine knows of an order; conformance finds what somebody did by hand."""

from __future__ import annotations

import hashlib
import unicodedata
from html import escape
from pathlib import Path

import pytest
from command import run, settings_of
from shop import Shop, pdf

from engine.variables import FileValue

pytestmark = pytest.mark.engine
NAME = "Шкаф-купе №3 — «эскиз»; финал (ё, й).pdf"


def test_a_shipped_order_on_one_page(shop: Shop, tmp_path: Path) -> None:
    env = settings_of(shop, tmp_path / "data")
    names = {"orderFile": NAME, "designFile": NAME, "designFile_2": NAME, "designFile_3": "скидка %41 + доставка.pdf"}
    bytes_of = {variable: pdf(variable) for variable in (*names, "designFile_4")}
    sent = {v: FileValue(unicodedata.normalize("NFD", n), bytes_of[v], "application/pdf") for v, n in names.items()}
    sent["designFile_4"] = FileValue("щ" * 260 + ".pdf", bytes_of["designFile_4"], "application/pdf")
    names["designFile_4"] = "щ" * 200 + ".pdf"
    order = shop.start_order(customerName="ООО «Ёлка» <script>", orderFile=sent.pop("orderFile"))
    step = shop.carry_to(order, "UserTask_PrepareDesign")
    assert step.engine_task
    shop.person("volkov").tasks.claim(step.engine_task, "volkov")
    shop.person("volkov").tasks.comment(step.engine_task, "Размеры уточнены по телефону")
    shop.answer(order, "volkov", **sent, designComment="По эскизу")
    shop.carry_home(order)
    file = tmp_path / "dossier.html"
    said = run("dossier", order.business_key, "--out", file, env=env)
    assert said.code == 0, said.text
    text = file.read_text(encoding="utf-8")
    assert hashlib.sha256(text.encode()).hexdigest() in said.out
    history = shop.integration.history
    for activity in history.activities(processInstanceId=order.id):
        assert activity.element in text
    for variable in ("orderFile", "designFile", "estimateFile"):
        data = history.file(order.id, variable).data or b""
        assert hashlib.sha256(data).hexdigest() in text, variable
    rows = text.split("<tr>")
    for variable, name in names.items():  # F-27: one name at all doors, two files of a name stay two
        assert sum(escape(name) in row and hashlib.sha256(bytes_of[variable]).hexdigest() in row for row in rows) == 1
    for words in ("Размеры уточнены по телефону", "Супер заказ", "Дмитрий Волков", "125\u202f000", "0 отклонений"):
        assert words in text, words
    assert "<script" not in text
    assert "http" not in text
    assert len(text.encode()) < 300 * 1024
    assert run("conformance", order.business_key, env=env).out.strip() == "Проверено 1 заказ: 0 отклонений"


def test_every_ended_order_is_checked_and_a_deleted_one_named(shop: Shop, tmp_path: Path) -> None:
    env = settings_of(shop, tmp_path / "data")
    refused, deleted = shop.start_order(), shop.start_order()
    shop.carry_to(refused, "UserTask_ApproveOrder")
    shop.carry_to(deleted, "UserTask_PrepareDesign")
    shop.answer(refused, directorDecision="reject", directorComment="Не наше")
    shop.drain(refused)
    assert run("conformance", refused.business_key, env=env).code == 0
    shop.admin.processes.delete(deleted.id)
    said = run("conformance", deleted.business_key, env=env)
    assert said.code == 1
    assert "заказ удалён вручную" in said.out
    assert "закончен не исходом схемы" in said.out
    assert run("conformance", "NO-SUCH", env=env).code == 1
    assert run("dossier", "NO-SUCH", env=env).code == 1
