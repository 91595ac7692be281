"""Rule: a handler's signature says what it reads, and a wrong declaration fails before the first poll."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from orders.errors import Permanent
from workers.registry import Input, Output, Registry, Values, WrongHandler, topic
from workers.task import Task

TASK = Task(
    "t1", "greet", "ORD-1", "i1", "d1", "p", "ServiceTask_X", "ServiceTask_X:1", datetime(2026, 1, 1, tzinfo=UTC)
)


class Order(Input):
    """What the sample handler reads."""

    customer_name: str
    estimate_sum: str | None = None


class Greeting(Output):
    """What it writes."""

    greeting_text: str


@topic("greet", limit=2)
def greet(order: Order, task: Task, *, mark: str) -> Greeting:
    """Greet."""
    return Greeting(greeting_text=f"{order.customer_name}{mark} {task.business_key}")


def test_only_declared_variables_are_fetched() -> None:
    """The variables are the input's fields, in camelCase; no input means no variables."""

    @topic("bare")
    def bare(task: Task) -> None:
        """Do nothing."""

    assert greet.variables == ["customerName", "estimateSum"]
    assert bare.variables == []


def test_handler_is_a_plain_function() -> None:
    """A decorated handler is called like the function it is."""
    assert greet(Order(customer_name="Анна"), TASK, mark="!") == Greeting(greeting_text="Анна! ORD-1")


def test_run_fills_input_task_and_dependencies() -> None:
    """Variables come in by alias, unknown ones are ignored, outputs go out in camelCase."""
    assert greet.run(TASK, {"customerName": "Анна", "foreign": 1}, {"mark": "!"}) == {"greetingText": "Анна! ORD-1"}


def test_bad_input_is_permanent_and_names_the_variable_without_its_value() -> None:
    """Input that does not fit is an incident at once; its text holds no customer data."""
    with pytest.raises(Permanent) as told:
        greet.run(TASK, {"customerName": 7, "estimateSum": "100.00"}, {"mark": "!"})
    assert "customerName" in str(told.value)
    assert "7" not in str(told.value).replace("customerName", "")


def test_duplicate_topic_is_refused() -> None:
    """A topic has one handler."""
    with pytest.raises(WrongHandler, match=r"greet.*twice"):
        Registry([greet, greet])


def test_missing_dependency_is_named() -> None:
    """A worker cannot be built without what its handlers need."""
    registry = Registry([greet])
    registry.check({"mark": "!"})
    with pytest.raises(WrongHandler, match="greet: mark"):
        registry.check({})


def test_unfillable_parameter_is_refused() -> None:
    """A parameter that is neither input nor task nor keyword-only cannot be filled."""
    with pytest.raises(WrongHandler, match="color"):

        @topic("paint")
        def paint(color: str) -> None:
            """Paint."""


def test_other_answer_must_take_the_same_input() -> None:
    """The answer after the patience is run with what the handler is run with."""

    def other(order: Order) -> None:
        """Answer."""

    with pytest.raises(WrongHandler, match="patience"):

        @topic("wait", patience=other)
        def wait(task: Task) -> None:
            """Wait."""


def test_give_up_runs_the_other_answer() -> None:
    """When the patience is over, the other function's values are written."""

    def pending(task: Task) -> Values:
        """Answer without the portal."""
        return {"portalPending": True}

    @topic("step", patience=pending)
    def step(task: Task, *, mark: str) -> Values:
        """Answer with it."""
        return {"portalPending": False, "mark": mark}

    assert step.run(TASK, {}, {"mark": "!"}) == {"portalPending": False, "mark": "!"}
    assert step.run(TASK, {}, {}, give_up=True) == {"portalPending": True}


def test_choice_of_topics() -> None:
    """`--topics` takes known names only."""
    registry = Registry([greet])
    assert registry.only(["greet"]).topics == {"greet"}
    with pytest.raises(WrongHandler, match="greeet"):
        registry.only(["greeet"])


def test_returned_nonsense_is_refused() -> None:
    """A handler that returns a number is a programming error, not an empty answer."""

    @topic("count")
    def count(task: Task) -> int:
        """Count."""
        return 1

    with pytest.raises(WrongHandler, match="int"):
        count.run(TASK, {}, {})
