"""A person's answer to a step as any door hands it on: texts by field, files by field, nothing judged yet."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from orders.attachment_info import variables_of
from orders.stage import Field, FieldKind


@dataclass(frozen=True, slots=True)
class SentFile:
    """One file as it was sent: its name may hold anything."""

    name: str
    data: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Reply:
    """What a person answered: field name -> text, field name -> files in their order."""

    texts: Mapping[str, str] = field(default_factory=dict)
    files: Mapping[str, tuple[SentFile, ...]] = field(default_factory=dict)


def texts_of(fields: Iterable[Field], reply: Reply) -> dict[str, str]:
    """Return the texts that a form asks for, trimmed, empty ones left out; what it does not know is dropped."""
    known = (f for f in fields if not f.kind.holds_files)
    given = ((f.name, reply.texts.get(f.name, "").replace("\r\n", "\n").strip()) for f in known)
    return {name: text for name, text in given if text}


def files_of(fields: Iterable[Field], reply: Reply) -> Iterator[tuple[str, SentFile]]:
    """Yield (variable, file): the second file of `designFile` is `designFile_2`; of a single file the last counts."""
    for each in (f for f in fields if f.kind.holds_files):
        sent = reply.files.get(each.name, ())
        yield from zip(variables_of(each), sent[-1:] if each.kind is FieldKind.FILE else sent, strict=False)


def said_decision(choice: Field, text: str) -> tuple[str, str] | None:
    """Read a decision that a text begins with, as people see it on the buttons: (value, the words after it)."""
    words = text.strip()
    for value, label in sorted(choice.choices, key=lambda pair: -len(pair[1])):
        rest = words[len(label) :]
        if words.casefold().startswith(label.casefold()) and not rest[:1].isalnum():
            return value, rest.lstrip(" .,:;-—\n\t")
    return None
