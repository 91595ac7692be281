"""What each person answers at each step of each story. Pure: times and files are given or made from the seed."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from decimal import Decimal

from app.demo.files import (
    MadeFile,
    drawing_dxf,
    drawing_pdf,
    estimate_xlsx,
    forged,
    make_cabinet,
    sketch_jpeg,
)
from app.demo.plan import PlannedOrder, Story

Values = dict[str, str | MadeFile]

# Long enough for the manufacturing step to open first, short enough for a demo.
LATE_AFTER = timedelta(seconds=7)


def start_values(order: PlannedOrder) -> Values:
    """Return the start form as the initiator fills it in."""
    sketch = sketch_jpeg(f"Эскиз {order.item}.jpg", make_cabinet(order.rng("cabinet")))
    bad = forged("Эскиз заказчика.jpg")
    return {
        "customerName": order.customer,
        "customerContact": order.contact,
        "itemDescription": order.item,
        "budget": f"{(order.total * Decimal('1.2')).quantize(Decimal('1.00'))}",
        "orderFile": bad if order.story is Story.FORGED_REQUEST else sketch,
    }


def answer(order: PlannedOrder, code: str, visit: int, now: datetime) -> Values:
    """Return what the person answers at the stage with this code on its `visit`-th visit (1-based).

    `now` is in the plant's zone; dates and moments are written in it.
    """
    return _ANSWERS[code](order, visit, now)


def move_values(order_key: str, now: datetime) -> Values:
    """Return the form of «перенести срок»: two weeks from now, which is later than any date that was promised."""
    return {
        "orderKey": order_key,
        "newReadyBy": _moment(now + timedelta(days=14)),
        "moveReason": "Поставщик задержал фурнитуру",
    }


def cancel_values(order_key: str) -> Values:
    """Return the form of «отменить заказ»."""
    return {"orderKey": order_key, "cancelReason": "Заказчик передумал, аванс не вносился"}


def _fix(order: PlannedOrder, _: int, __: datetime) -> Values:
    return {"orderFile": sketch_jpeg(f"Эскиз {order.item} (исправлен).jpg", make_cabinet(order.rng("cabinet")))}


def _approve(order: PlannedOrder, _: int, __: datetime) -> Values:
    if order.story is Story.REFUSED:
        return {"directorDecision": "reject", "directorComment": "Нет свободных мощностей до весны"}
    return {"directorDecision": "approve", "directorComment": "Супер заказ"}


def _design(order: PlannedOrder, visit: int, _: datetime) -> Values:
    if order.story is Story.FORGED_DESIGN and visit == 1:
        return {"designFile": forged("Проект.pdf"), "designComment": "Проект готов"}
    cabinet = make_cabinet(order.rng("cabinet"))
    suffix = "" if visit == 1 else f" (версия {visit})"
    values: Values = {
        "designFile": drawing_pdf(f"Проект{suffix}.pdf", cabinet, "Front view"),
        "designFile_2": drawing_dxf(f"Раскрой{suffix}.dxf", cabinet),
        "designComment": "Учтены размеры ниши" if visit == 1 else "Исправлено по замечаниям",
    }
    if order.rng("design").random() < 0.5:
        del values["designFile_2"]
    return values


def _estimate(order: PlannedOrder, visit: int, _: datetime) -> Values:
    name = "Смета.xlsx" if visit == 1 else f"Смета (версия {visit}).xlsx"
    return {
        "estimateFile": estimate_xlsx(name, order.item, order.total),
        "estimateSum": f"{order.total:.2f}",
        "estimateComment": "С доставкой и сборкой",
    }


def _price(order: PlannedOrder, _: int, __: datetime) -> Values:
    if order.story is Story.PRICE_REJECTED:
        return {"priceDecision": "reject", "priceComment": "Заказчику дорого"}
    return {"priceDecision": "approve", "priceComment": "Заказчик согласен"}


def _readydate(order: PlannedOrder, visit: int, now: datetime) -> Values:
    if order.story is Story.RETURNED and visit == 1:
        return {"readyDecision": "return", "readyComment": "Не указан материал фасадов"}
    ahead = LATE_AFTER if order.story is Story.LATE else timedelta(days=2 + order.rng("ready").randrange(10))
    return {"readyDecision": "approve", "readyBy": _moment(now + ahead), "readyComment": "Ставим в план"}


def _manufacture(order: PlannedOrder, _: int, __: datetime) -> Values:
    return {"manufactureComment": "Собрано, проверено"} if order.rng("manufactured").random() < 0.5 else {}


def _tell(order: PlannedOrder, _: int, now: datetime) -> Values:
    how = order.rng("tell").choice(("phone", "messenger", "visit"))
    return {"toldAt": _moment(now - timedelta(seconds=5)), "toldHow": how, "tellComment": "Ждут доставку"}


def _invoice(order: PlannedOrder, _: int, now: datetime) -> Values:
    number = f"С-{now:%y%m}-{order.number:03d}"
    if order.rng("invoice").random() < 0.5:
        return {"invoiceNumber": number}
    return {
        "invoiceNumber": number,
        "invoiceFile": drawing_pdf(f"Счёт {number}.pdf", make_cabinet(order.rng("cabinet")), "Invoice"),
    }


def _payment(order: PlannedOrder, _: int, now: datetime) -> Values:
    if order.rng("payment").random() < 0.25:
        paid = order.total - Decimal("500.00")
        return {"paidSum": f"{paid:.2f}", "paidOn": f"{now:%Y-%m-%d}", "paymentComment": "Скидка 500 ₽ за самовывоз"}
    return {"paidSum": f"{order.total:.2f}", "paidOn": f"{now:%Y-%m-%d}"}


def _ship(order: PlannedOrder, _: int, now: datetime) -> Values:
    return {"shippedOn": f"{now:%Y-%m-%d}", "shipmentNumber": f"ТТН-{order.number:04d}"}


def _moment(at: datetime) -> str:
    return at.replace(microsecond=0).isoformat()


_ANSWERS: dict[str, Callable[[PlannedOrder, int, datetime], Values]] = {
    "fix": _fix,
    "approve": _approve,
    "design": _design,
    "estimate": _estimate,
    "price": _price,
    "readydate": _readydate,
    "manufacture": _manufacture,
    "tell": _tell,
    "invoice": _invoice,
    "payment": _payment,
    "ship": _ship,
}
