"""Rule: a file keeps its name and its bytes at every door, its type comes from its bytes, and a refusal says why."""

from __future__ import annotations

import hashlib
import unicodedata
from collections.abc import Iterator, Mapping
from typing import NamedTuple
from urllib.parse import unquote

import forgeries
import pytest
import requests
import samples
from chain import Chain, open_chain
from shop import Shop, pdf

from engine.processes import Instance
from engine.variables import FileValue

pytestmark = [pytest.mark.engine, pytest.mark.acceptance]
NAME = "Шкаф-купе №3 — «эскиз»; финал (ё, й).pdf"
NFD = unicodedata.normalize("NFD", NAME)
ODD = (b"null", b"eyJhIjoxfQ==", bytes(range(256)))


class Seen(NamedTuple):
    """A file as one door shows it."""

    name: str
    sha256: str


@pytest.fixture(scope="module")
def chain(shop: Shop, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Chain]:
    """One worker; nobody dies here, so locks may last."""
    with open_chain(shop, tmp_path_factory.mktemp("files") / "chain", lock_seconds=15) as opened:
        opened.work()
        yield opened


def seen(data: bytes, name: str) -> Seen:
    return Seen(name, hashlib.sha256(data).hexdigest())


def fetched(url: str, auth: tuple[str, str] | None = None) -> Seen:
    """Download a file as a program does; its name is the one of filename*, in UTF-8."""
    answer = requests.get(url, auth=auth, headers={"User-Agent": "order-route-test"}, timeout=30)
    assert answer.ok, answer.text
    kind, _, rest = answer.headers["Content-Disposition"].rpartition("filename*=")
    assert kind.startswith("attachment") and rest.isascii()
    encoding, _, name = rest.partition("''")
    assert encoding.lower() == "utf-8"
    return seen(answer.content, unquote(name))


def in_engine(chain: Chain, order: Instance) -> dict[str, Seen]:
    """Return the order's files as REST gives them, by variable."""
    engine, shop = chain.shop.engine, chain.shop
    account = (engine.admin_user, engine.admin_password.get_secret_value())
    root = f"{shop.url}/process-instance/{order.id}/variables"
    return {v: fetched(f"{root}/{v}/data", account) for v in shop.reader.file_names(order.id)}


def on_card(chain: Chain, order: Instance, variable: str) -> list[Seen]:
    held = chain.book.value(variable, order.business_key)
    return [fetched(entry["urlMachine"]) for entry in (held if isinstance(held, list) else [held])]


def on_drive(chain: Chain, order: Instance) -> list[Seen]:
    call, root = chain.portal.call, chain.book.schema.folder_id
    (folder,) = [f for f in call("disk.folder.getchildren", {"id": root}) if f["NAME"] == order.business_key]
    rows = call("disk.folder.getchildren", {"id": folder["ID"]})
    found = [fetched(row["DOWNLOAD_URL"]) for row in rows]
    assert [row["NAME"] for row in rows] == [file.name for file in found]
    return found


def check_every_door(chain: Chain, order: Instance, wanted: Mapping[str, Seen], drive: list[Seen]) -> None:
    """Engine, snapshot, card and Drive show these files; on the Drive the second of a name has a number."""
    assert in_engine(chain, order) == wanted
    assert {f.variable: Seen(f.name, f.sha256) for f in chain.shop.reader.snapshot(order.id).files} == wanted
    for variable, prefix in (("orderFile", "orderFile"), ("designFile", "designFile")):
        mine = [file for name, file in wanted.items() if name.startswith(prefix)]
        assert sorted(on_card(chain, order, variable)) == sorted(mine)
    assert sorted(on_drive(chain, order)) == sorted(drive)
    chain.verdict(order)


def test_a_name_is_the_same_at_every_door(chain: Chain) -> None:
    assert NFD != NAME == unicodedata.normalize("NFC", NAME)
    given = {
        "orderFile": NFD,
        "designFile": NAME,
        "designFile_2": NAME,
        "designFile_3": "я" * 200 + ".pdf",
        "designFile_4": "щ" * 260 + ".pdf",
        "designFile_5": "e" * 199 + "x\u0338\u0338.pdf",
        "designFile_6": "скидка %41 + доставка.pdf",
        "designFile_7": 'комод "Ёлка": вид?.pdf',
    }
    kept = {
        **given,
        "orderFile": NAME,
        "designFile_4": "щ" * 200 + ".pdf",
        "designFile_5": "e" * 199 + ".pdf",
        "designFile_7": "комод _Ёлка__ вид_.pdf",
    }
    data = {variable: pdf(f"{variable} of {name}") for variable, name in given.items()}
    files = {variable: FileValue(name, data[variable], "application/pdf") for variable, name in given.items()}
    order = chain.shop.start_order(orderFile=files.pop("orderFile"))
    chain.carry(order, "ApproveOrder")
    chain.answer(order, "UserTask_PrepareDesign", **files)
    chain.step(order, "UserTask_PrepareEstimate")
    wanted = {variable: seen(data[variable], kept[variable]) for variable in given}
    twins = {"designFile": NAME.replace(".pdf", " (2).pdf"), "designFile_2": NAME.replace(".pdf", " (3).pdf")}
    check_every_door(chain, order, wanted, [seen(data[v], twins.get(v, kept[v])) for v in given])


def test_the_type_of_a_drawing_comes_from_its_bytes(chain: Chain) -> None:
    types = ["", "application/octet-stream", "image/vnd.dwg", "image/png"]
    variables = ["designFile", "designFile_2", "designFile_3", "designFile_4"]
    data = {v: samples.make_dwg(length=4096 + n) for n, v in enumerate(variables)}
    files = {v: FileValue(f"{v}.dwg", data[v], kind) for v, kind in zip(variables, types, strict=True)}
    order = chain.shop.start_order()
    chain.carry(order, "ApproveOrder")
    chain.answer(order, "UserTask_PrepareDesign", **files)
    chain.step(order, "UserTask_PrepareEstimate")
    wanted = in_engine(chain, order)
    assert {v: wanted[v] for v in variables} == {v: seen(data[v], f"{v}.dwg") for v in variables}
    check_every_door(chain, order, wanted, list(wanted.values()))
    rows = chain.shop.admin.caller.rest("GET", f"/process-instance/{order.id}/variables?deserializeValues=false").json()
    assert {rows[v]["valueInfo"]["mimeType"] for v in variables} == {"image/vnd.dwg"}


def test_bytes_that_look_like_something_else_are_refused_for_their_type(chain: Chain) -> None:
    """A text is no allowed type, whatever stands in it; that the engine keeps such bytes is shown beside its edge."""
    order = chain.shop.start_order(orderFile=FileValue("заметка.txt", ODD[0], "text/plain"))
    for data in (*ODD[1:], b""):
        task = chain.step(order, "UserTask_FixRequest")
        said = chain.shop.reader.snapshot(order.id).open[0].refusal or ""
        assert "заметка.txt" in said and "не принимаются" in said, said
        assert chain.book.value("refusal", order.business_key) == said
        if data:
            chain.complete(task, {"orderFile": FileValue("заметка.txt", data, "application/pdf")})
            chain.wait(lambda task=task: _renewed(chain, order, task.id), "the next refusal")
    chain.carry(order, "FixRequest")
    chain.step(order, "UserTask_ApproveOrder")
    chain.verdict(order)


def _renewed(chain: Chain, order: Instance, before: str) -> bool:
    tasks = chain.shop.integration.tasks.of_instance(order.id)
    return bool(tasks) and all(task.id != before for task in tasks)


def test_a_forged_file_comes_back_with_its_reason(chain: Chain) -> None:
    """A drawing that runs a script, then a locked estimate: both refused in words, both corrected."""
    order = chain.shop.start_order()
    chain.carry(order, "ApproveOrder")
    first = chain.step(order, "UserTask_PrepareDesign")
    forged = FileValue("чертёж.pdf", forgeries.pdf_script(), "application/pdf")
    chain.complete(first, {"designFile": forged})
    said = _refusal(chain, order, "UserTask_PrepareDesign", first.id)
    assert "чертёж.pdf" in said
    assert "designFile" not in chain.shop.reader.file_names(order.id)
    chain.carry(order, "PrepareDesign")
    second = chain.step(order, "UserTask_PrepareEstimate")
    locked = FileValue("смета.xlsx", forgeries.locked_workbook(), "application/octet-stream")
    chain.complete(second, {"estimateFile": locked, "estimateSum": "125000.00"})
    said = _refusal(chain, order, "UserTask_PrepareEstimate", second.id)
    assert "защищён паролем" in said and "снимите пароль" in said
    chain.carry(order, "PrepareEstimate")
    chain.step(order, "UserTask_AgreePrice")
    assert chain.book.value("refusal", order.business_key) in ("", None)
    chain.verdict(order)


def _refusal(chain: Chain, order: Instance, element: str, before: str) -> str:
    """Return the reason with which a step came back; it stands in the engine, on the card and in the new task."""

    def again() -> bool:
        tasks = chain.shop.integration.tasks.of_instance(order.id)
        return any(t.element == element and t.id != before for t in tasks)

    chain.wait(again, f"{element} opened again")
    (visit,) = chain.shop.reader.snapshot(order.id).open
    said = visit.refusal or ""
    assert chain.book.value("refusal", order.business_key) == said
    assert said in chain.book.open_tasks(order.business_key)[0]["description"]
    return said
