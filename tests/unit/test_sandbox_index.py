"""Rule: the sandbox finds by its indexes what it would find by looking at every document, whatever came, changed, went
or was undone before."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from bitrix_sync.sandbox.rest import filters
from bitrix_sync.sandbox.store import Store

VALUE = st.sampled_from([None, "", "Да", "ДА", "нет", 7, "7"])
BOUND = st.lists(st.sampled_from(["T41_1", "t41_1", "T41_2", ""]), max_size=3)
ACT = st.tuples(st.sampled_from(["put", "drop", "undone", "look"]), st.integers(1, 5), VALUE, BOUND)
WANTED = st.one_of(VALUE, st.lists(VALUE, max_size=3))


def resolve(name: str) -> tuple[Callable[[dict[str, Any]], Any], Callable[[Any], Any]] | None:
    """Read a task-like document: one value, and a list of values."""
    return {"STATE": (lambda doc: doc["state"], lambda value: value), "BOUND": (lambda doc: doc["bound"], str)}.get(
        name
    )


def looked_for(store: Store, conditions: dict[str, Any], indexed: tuple[str, ...]) -> list[dict[str, Any]]:
    return filters.matching(store, "task", conditions, resolve, indexed)


class UndoneError(Exception):
    """Ends a change that is to leave no trace."""


def do(store: Store, act: str, number: int, value: Any, bound: list[str]) -> None:
    doc = {"id": number, "state": value, "bound": bound}
    if act == "put":
        store.put("task", number, doc)
    elif act == "drop":
        store.drop("task", number)
    elif act == "look":
        looked_for(store, {"STATE": value, "@BOUND": bound}, ("STATE", "BOUND"))
    else:
        try:
            with store.change():
                store.put("task", number, doc)
                store.drop("task", number % 5 + 1)
                raise UndoneError
        except UndoneError:
            pass


@given(st.lists(ACT, max_size=25), WANTED, BOUND, st.sampled_from(["AND", "OR"]))
def test_an_index_finds_what_a_look_at_all_finds(
    acts: list[tuple[str, int, Any, list[str]]], state: Any, bound: list[str], logic: str
) -> None:
    store = Store(None)
    for act in acts:
        do(store, *act)
    for conditions in ({"STATE": state}, {"=BOUND": bound, "STATE": state}, {"!STATE": state, "@BOUND": bound}):
        asked = {**conditions, "logic": logic}
        assert looked_for(store, asked, ("STATE", "BOUND")) == looked_for(store, asked, ())
    store.close()


def test_what_differs_only_in_capitals_or_type_belongs_to_another_owner() -> None:
    store, values = Store(None), ["kp-7", "KP-7", 7, "7"]
    for number, value in enumerate(values, 1):
        store.put("task", number, {"id": number, "key": value})
        store.of("task", key=value)
    for number, value in enumerate(values, 1):
        assert [doc["id"] for doc in store.of("task", key=value)] == [number]
    store.close()


def test_only_what_fits_is_looked_at() -> None:
    store = Store(None)
    for number in range(1, 101):
        store.put("task", number, {"id": number, "state": number % 10, "bound": [f"T41_{number % 4}"]})
    found = filters.found(store, "task", {"STATE": [3], "BOUND": "T41_1"}, resolve, ("STATE", "BOUND"))
    assert [doc["id"] for doc in found] == [13, 33, 53, 73, 93]
    store.close()


@given(st.lists(ACT, max_size=25), VALUE, BOUND)
def test_documents_of_an_owner_are_those_with_exactly_these_values(
    acts: list[tuple[str, int, Any, list[str]]], state: Any, bound: list[str]
) -> None:
    store = Store(None)
    for act in acts:
        store.of("task", state=state, bound=bound)  # the index exists from the first look on
        do(store, *act)
    assert store.of("task", bound=bound) == [doc for doc in store.all("task") if doc["bound"] == bound]
    both = [doc for doc in store.all("task") if (doc["state"], doc["bound"]) == (state, bound)]
    assert store.of("task", state=state, bound=bound) == both
    store.close()
