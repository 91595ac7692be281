"""An answer means what its status and its engine code say, and every exception of pycamunda has its class of ours."""

from __future__ import annotations

import inspect
from typing import Any

import pycamunda
import pycamunda.request
import pytest

from engine import errors
from engine.errors import EngineError, GateRefused, ModelRefused, from_answer, from_pycamunda
from orders.errors import Refused, Transient


def answer(kind: str, message: str = "m", code: int | None = None) -> dict[str, Any]:
    return {"type": kind, "message": message, "code": code}


@pytest.mark.parametrize(
    ("status", "body", "expected"),
    [
        (400, answer("InvalidRequestException"), errors.BadRequest),
        (401, answer("X"), errors.Unauthorized),
        (403, answer("AuthorizationException"), errors.Forbidden),
        (404, answer("InvalidRequestException"), errors.NotFound),
        (400, answer("FormFieldValidationException", "Прикрепите файл", 22401), errors.GateRefused),
        (500, answer("RestException", "Прикрепите файл", 22401), errors.GateRefused),
        (500, answer("OptimisticLockingException", "x", 1), errors.Conflict),
        (500, answer("ProcessEngineException", "x", 10000), errors.Conflict),
        (500, answer("NullValueException", "Cannot find task with id 7: task is null"), errors.NotFound),
        (400, answer("NullValueException", "Cannot find task with id 7: task is null"), errors.NotFound),
        (400, answer("RestException", "External task 7 cannot be completed by worker 'a'"), errors.LockLost),
        (400, answer("RestException", "Cannot extend a lock that expired"), errors.LockLost),
        (400, answer("MismatchingMessageCorrelationException"), errors.NothingWaits),
        (400, answer("RestException", "x.MismatchingMessageCorrelationException: no"), errors.NothingWaits),
        (
            500,
            answer("RestException", "Cannot start: An exception occurred in the persistence layer.", 10002),
            errors.TooLong,
        ),
        (
            500,
            answer("RestException", "Cannot start: An exception occurred in the persistence layer.", 0),
            errors.EngineDown,
        ),
        (500, answer("CannotCreateTransactionException", "Could not open JDBC Connection for x"), errors.EngineDown),
        (500, answer("ProcessEngineException", "x", 10001), errors.Conflict),
        (500, {"timestamp": "x", "status": 500, "error": "Internal Server Error", "path": "/"}, errors.EngineDown),
        (500, answer("X", "x", 10002), errors.TooLong),
        (500, answer("ProcessEngineException", "boom", 0), errors.ServerError),
        (418, answer("X"), errors.ServerError),
        (503, None, errors.EngineDown),
        (502, None, errors.EngineDown),
        (504, answer("X"), errors.EngineDown),
        (400, None, errors.BadRequest),
        (500, ["not", "an", "object"], errors.ServerError),
        (400, answer("X", "m", True), errors.BadRequest),  # type: ignore[arg-type]  # a code that is no number
    ],
)
def test_status_and_code_decide(status: int, body: object, expected: type[EngineError]) -> None:
    assert type(from_answer(status, body, "text")) is expected


def test_the_gates_sentence_is_the_whole_text() -> None:
    error = from_answer(400, answer("FormFieldValidationException", "Прикрепите файл сметы", 22401))
    assert isinstance(error, GateRefused) and isinstance(error, Refused)
    assert str(error) == "Прикрепите файл сметы" and error.code == 22401


def test_only_what_may_be_repeated_is_transient() -> None:
    transient = {c for c in classes(errors) if issubclass(c, Transient)}
    assert transient == {errors.EngineDown, errors.Conflict}


def test_a_refused_model_names_element_and_line() -> None:
    body = {
        "type": "ParseException",
        "message": "ENGINE-09005 Could not parse BPMN process.",
        "details": {
            "order.bpmn": {
                "errors": [{"message": "Скрипт в модели запрещён", "line": 12, "mainElementId": "ScriptTask_1"}],
                "warnings": [],
            }
        },
    }
    error = from_answer(400, body)
    assert isinstance(error, ModelRefused)
    assert str(error) == "order.bpmn: ScriptTask_1, строка 12: Скрипт в модели запрещён"


def test_a_refused_model_without_details_still_says_why() -> None:
    error = from_answer(400, {"type": "ParseException", "message": "no", "details": None})
    assert isinstance(error, ModelRefused) and "no" in str(error)


def test_every_exception_of_pycamunda_is_mapped() -> None:
    theirs = {c for m in (pycamunda, pycamunda.request) for c in classes(m)}
    assert len(theirs) >= 8
    for kind in theirs:
        ours = from_pycamunda(kind("text"))
        assert isinstance(ours, EngineError) and type(ours) is not EngineError
        assert str(ours) == "text" and ours.kind == kind.__name__


def test_an_unforeseen_exception_of_pycamunda_is_mapped_by_its_parent() -> None:
    class Newer(pycamunda.NotFound):
        pass

    assert isinstance(from_pycamunda(Newer()), errors.NotFound)


def classes(module: Any) -> set[type[Exception]]:
    return {
        c
        for _, c in inspect.getmembers(module, inspect.isclass)
        if issubclass(c, Exception) and c.__module__ == module.__name__
    }
