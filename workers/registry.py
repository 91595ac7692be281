"""Declare handlers: `@topic("notify", portal=True)` over a plain function.

A handler's signature says everything: the first parameter may be an `Input` (only its variables are fetched), one
parameter may be a `Task` (meta data), keyword-only parameters are dependencies, filled by name when the worker is
built. It returns an `Output`, a mapping (variable names known only at run time) or None. No import of a handler
opens a connection; a wrong signature or a topic declared twice is an error before the first poll.
"""

from __future__ import annotations

import inspect
import typing
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Generic, ParamSpec, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError
from pydantic.alias_generators import to_camel

from orders.errors import Permanent
from workers.task import Task

P = ParamSpec("P")
R = TypeVar("R")

Values = Mapping[str, Any]
"""Process variables by name: str, int, float, bool, None or an aware datetime."""


class WrongHandler(TypeError):
    """A handler cannot be run as it is declared."""


class Input(BaseModel):
    """What a handler reads: snake_case here, camelCase in the engine; unknown variables are ignored."""

    model_config = ConfigDict(frozen=True, extra="ignore", alias_generator=to_camel, populate_by_name=True)


class Output(BaseModel):
    """What a handler writes: each field is one process variable (camelCase), None clears it."""

    model_config = ConfigDict(frozen=True, extra="forbid", alias_generator=to_camel, populate_by_name=True)


@dataclass(frozen=True)
class Handler(Generic[P, R]):
    """A declared handler; calling it calls the plain function."""

    name: str
    function: Callable[P, R]
    limit: int | None  # at most so many at once in one process
    portal: bool  # calls the portal: never fetched ahead, watched by the breaker
    optional: bool  # not fetched at all while the portal is known to be down
    patience: Callable[..., object] | None  # the answer when the portal was waited for long enough
    input_model: type[Input] | None
    takes_task: bool
    needs: tuple[str, ...]  # names of dependencies
    patience_needs: tuple[str, ...]  # those of the other answer

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> R:
        """Run the plain function."""
        return self.function(*args, **kwargs)

    @property
    def variables(self) -> list[str]:
        """Return the names of the variables to fetch."""
        fields = self.input_model.model_fields if self.input_model else {}
        return [info.alias or name for name, info in fields.items()]

    def run(
        self, task: Task, variables: Values, dependencies: Mapping[str, object], *, give_up: bool = False
    ) -> Values:
        """Run for one task and return what to write. Raises Permanent when the variables do not fit the input."""
        arguments = self._arguments(task, variables)
        if give_up and self.patience:
            return _values(self.patience(*arguments, **{name: dependencies[name] for name in self.patience_needs}))
        function: Callable[..., object] = self.function
        return _values(function(*arguments, **{name: dependencies[name] for name in self.needs}))

    def _arguments(self, task: Task, variables: Values) -> list[object]:
        arguments: list[object] = []
        if self.input_model:
            try:
                arguments.append(self.input_model.model_validate(dict(variables)))
            except ValidationError as error:
                raise Permanent(f"{self.name}: переменные не подходят: {_problems(error)}") from None
        if self.takes_task:
            arguments.append(task)
        return arguments


def topic(
    name: str,
    *,
    limit: int | None = None,
    portal: bool = False,
    optional: bool = False,
    patience: Callable[..., object] | None = None,
) -> Callable[[Callable[P, R]], Handler[P, R]]:
    """Declare the handler of a topic. Raises WrongHandler for a signature that cannot be filled."""

    def declare(function: Callable[P, R]) -> Handler[P, R]:
        model, takes_task, needs = _signature(function)
        other_model, other_task, other_needs = _signature(patience) if patience else (model, takes_task, ())
        if (other_model, other_task) != (model, takes_task):
            raise WrongHandler(f"{name}: the answer after the patience must take what the handler takes")
        return Handler(
            name, function, limit, portal, optional, patience, model, takes_task, needs, other_needs
        )  # fmt: skip

    return declare


class Registry:
    """All handlers of one worker, by topic."""

    def __init__(self, handlers: Iterable[Handler[..., Any]]) -> None:
        self._handlers: dict[str, Handler[..., Any]] = {}
        for handler in handlers:
            if handler.name in self._handlers:
                raise WrongHandler(f"topic {handler.name!r} is declared twice")
            self._handlers[handler.name] = handler

    def __iter__(self) -> Iterator[Handler[..., Any]]:
        return iter(self._handlers.values())

    def __getitem__(self, name: str) -> Handler[..., Any]:
        return self._handlers[name]

    @property
    def topics(self) -> frozenset[str]:
        """Return the names of all topics."""
        return frozenset(self._handlers)

    def only(self, names: Iterable[str]) -> Registry:
        """Return a registry of these topics. Raises WrongHandler that names the unknown ones."""
        wanted = list(names)
        if unknown := sorted(set(wanted) - self.topics):
            raise WrongHandler(f"неизвестные темы: {', '.join(unknown)}; есть: {', '.join(sorted(self.topics))}")
        return Registry(self[name] for name in wanted)

    def check(self, dependencies: Mapping[str, object]) -> None:
        """Raise WrongHandler that names every dependency nobody provides."""
        needs = {(h.name, need) for h in self for need in (*h.needs, *h.patience_needs)}
        missing = {f"{name}: {need}" for name, need in needs if need not in dependencies}
        if missing:
            raise WrongHandler(f"dependencies are missing: {', '.join(sorted(missing))}")


def _signature(function: Callable[..., object]) -> tuple[type[Input] | None, bool, tuple[str, ...]]:
    hints = typing.get_type_hints(function)
    model: type[Input] | None = None
    takes_task = False
    needs: list[str] = []
    for name, parameter in inspect.signature(function).parameters.items():
        kind = hints.get(name)
        if parameter.kind is inspect.Parameter.KEYWORD_ONLY:
            needs.append(name)
        elif isinstance(kind, type) and issubclass(kind, Input) and model is None and not takes_task:
            model = kind
        elif kind is Task and not takes_task:
            takes_task = True
        else:
            raise WrongHandler(f"{function.__name__}: {name} is neither an Input, nor a Task, nor keyword-only")
    return model, takes_task, tuple(needs)


def _values(result: object) -> Values:
    if result is None:
        return {}
    if isinstance(result, BaseModel):
        return result.model_dump(by_alias=True)
    if isinstance(result, Mapping):
        return result
    raise WrongHandler(f"a handler returned {type(result).__name__}, neither an Output nor a mapping nor None")


def _problems(error: ValidationError) -> str:
    """Name the variables and what is wrong, without their values: an incident is read by operators."""
    return "; ".join(f"{'.'.join(map(str, e['loc'])) or '-'}: {e['msg']}" for e in error.errors(include_input=False))
