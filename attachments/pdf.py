"""PDF: what a reader would do by itself when it opens the document. Source: ISO 32000-2, qpdf through pikepdf.

A document that only its owner's password restricts (printing, copying) opens for everybody and is accepted: everything
in it can be read, by the person and by this judge. A document that asks for a password to open is refused.
"""

from __future__ import annotations

import io
import re
from collections.abc import Callable, Iterator

import pikepdf

from attachments import names, sentences, signatures
from attachments.sentences import Refusal

# Printers, scanners and web servers put a mark, line breaks or a printer command before and after the document.
_BEFORE = re.compile(rb"(?:\xef\xbb\xbf)?[\s\x00]{0,64}|\x1b%-12345X[\x20-\x7e\r\n]{0,512}")
_AFTER = 32
_END = re.compile(rb"%%EOF")
_SECOND = re.compile(rb"%%EOF[^<>]{0,64}%PDF-\d")
_HINTS = re.compile(
    rb"/(?:JS|JavaScript|Launch|ImportData|XFA|EF|RichMedia|Movie|OnInstantiate|OpenAction|AA|EmbeddedFile)(?![A-Za-z0-9])"
)
_BLIND = re.compile(
    r"giving up|limits error|deeply nested|object as null|error decoding stream data"
    r"|duplicated key /(?:OpenAction|AA|A|S|JS|Names|AcroForm|XFA|EF|Next|Root)\b"
)
_AUTO = frozenset({"/URI", "/GoToR", "/GoToE", "/SubmitForm"})
_MAX_OBJECTS = 1_000_000
_MAX_EMBEDDED = 50 * 1024 * 1024
_MAX_ACTIONS = 64

Embedded = Callable[[str, bytes], None]


def check(data: bytes, embedded: Embedded) -> None:
    """Judge one document. `embedded` judges a file that lies inside it. Raises Refusal."""
    _check_frame(data)
    try:
        with pikepdf.open(io.BytesIO(data)) as document:
            if not len(document.pages):
                raise Refusal(sentences.DAMAGED.format(detail="в нём нет страниц"))
            for thing in _objects(document):
                _check_object(thing, embedded)
            _check_warnings(document.get_warnings())
    except pikepdf.PasswordError as error:
        raise Refusal(sentences.LOCKED) from error
    except (pikepdf.PdfError, ValueError, TypeError, RuntimeError, RecursionError) as error:
        raise Refusal(sentences.DAMAGED.format(detail="страницы не читаются")) from error


def _check_frame(data: bytes) -> None:
    start = data.find(b"%PDF-", 0, 1024)
    if start < 0:
        raise Refusal(sentences.mismatch("pdf", signatures.name_of(data)))
    if not _BEFORE.fullmatch(data[:start]):
        raise Refusal(sentences.POLYGLOT.format(what="данные перед документом"))
    end = data.rfind(b"%%EOF")
    if end < 0:
        raise Refusal(sentences.CUT_SHORT)
    rest = data[end + 5 :].strip(b" \t\r\n\x00\x1a\xff")
    if len(rest) > _AFTER or signatures.foreign(rest):
        raise Refusal(sentences.POLYGLOT.format(what=signatures.foreign(rest) or "данные после документа"))
    # A document that was changed has several ends; something else may not stand between them.
    if any(signatures.begins_foreign(data[found.end() : found.end() + 1024]) for found in _END.finditer(data)):
        raise Refusal(sentences.POLYGLOT.format(what="данные после документа"))
    if _SECOND.search(data):
        raise Refusal(sentences.POLYGLOT.format(what="второй документ PDF"))
    if signatures.zip_at_end(data) and data.rfind(b"endstream") < data.rfind(b"PK\x05\x06"):
        raise Refusal(sentences.POLYGLOT.format(what="архив ZIP"))
    if signatures.markup(data[start : start + 64]):
        raise Refusal(sentences.POLYGLOT.format(what="веб-страница"))


def _objects(document: pikepdf.Pdf) -> Iterator[pikepdf.Object]:
    """Yield every indirect object, those in object streams too, and the trailer; scalars are left out."""
    yield document.trailer
    for number, thing in enumerate(document.objects):
        if number > _MAX_OBJECTS:
            raise Refusal(sentences.BOMB)
        if isinstance(thing, pikepdf.Object):
            yield thing


def _check_warnings(warnings: list[str]) -> None:
    """Refuse a document where the parser saw less than a laxer reader might: what it drops is judged by nobody."""
    if any("bad_alloc" in warning or "memory limit" in warning for warning in warnings):
        raise Refusal(sentences.BOMB)
    if any(_BLIND.search(warning) for warning in warnings):
        raise Refusal(sentences.DAMAGED.format(detail="части документа не читаются"))


def _check_object(thing: pikepdf.Object, embedded: Embedded) -> None:
    """Walk one object, but only where its written form holds a word that matters (a hundred times faster)."""
    shown: pikepdf.Object = thing
    if isinstance(thing, pikepdf.Stream):
        shown = thing.stream_dict
        if _name(shown, "/Type") in ("/ObjStm", "/XRef"):
            _check_container(thing)
    if not _HINTS.search(shown.unparse(resolved=True)):
        return
    todo = [thing]
    while todo:
        here = todo.pop()
        if isinstance(here, pikepdf.Dictionary | pikepdf.Stream):
            _check_dictionary(here, embedded)
            todo.extend(value for _, value in here.items() if _is_inline(value))
        elif isinstance(here, pikepdf.Array):
            todo.extend(value for value in here if _is_inline(value))


def _is_inline(value: object) -> bool:
    return isinstance(value, pikepdf.Dictionary | pikepdf.Array) and not value.is_indirect


def _check_dictionary(here: pikepdf.Object, embedded: Embedded) -> None:
    action = _name(here, "/S")
    if action == "/JavaScript" or ("/JS" in here and "/S" in here):
        raise Refusal(sentences.PDF_SCRIPT)
    if action in ("/Launch", "/ImportData"):
        raise Refusal(sentences.PDF_LAUNCH)
    if "/XFA" in here and not _is_null(here["/XFA"]):
        raise Refusal(sentences.PDF_XFA)
    if _name(here, "/Subtype") in ("/RichMedia", "/Movie") or "/OnInstantiate" in here:
        raise Refusal(sentences.PDF_MEDIA)
    if "/OpenAction" in here:
        _check_automatic(here["/OpenAction"])
    if isinstance(here.get("/AA"), pikepdf.Dictionary):
        for action_value in here["/AA"].values():
            _check_automatic(action_value)
    if "/EF" in here:
        _check_embedded(here, embedded)
    elif _name(here, "/Type") == "/EmbeddedFile" and isinstance(here, pikepdf.Stream):
        _check_unnamed(here)


def _check_automatic(value: object) -> None:
    """Look through the chain of actions that run by themselves; an array is only a place to scroll to."""
    todo, seen = [value], 0
    while todo and seen < _MAX_ACTIONS:
        here, seen = todo.pop(), seen + 1
        if not isinstance(here, pikepdf.Dictionary):
            continue
        if _name(here, "/S") in _AUTO:
            raise Refusal(sentences.PDF_AUTO_OPEN)
        following = here.get("/Next")
        todo.extend(list(following)[:_MAX_ACTIONS] if isinstance(following, pikepdf.Array) else [following])


def _check_embedded(spec: pikepdf.Object, embedded: Embedded) -> None:
    name = next((str(spec[key]) for key in ("/UF", "/F", "/Desc") if key in spec), "")
    files = spec["/EF"]
    if not isinstance(files, pikepdf.Dictionary):
        raise Refusal(sentences.PDF_EMBEDDED.format(what=names.clean(name)))
    for stream in files.values():
        if isinstance(stream, pikepdf.Stream):
            embedded(names.clean(name), _inflated(stream))


def _check_unnamed(stream: pikepdf.Stream) -> None:
    if signatures.program(_inflated(stream)):
        raise Refusal(sentences.PROGRAM)


def _inflated(stream: pikepdf.Stream) -> bytes:
    """Return the file's bytes, counted while inflating. An unusual chain of filters is refused rather than run."""
    filters = stream.get("/Filter")
    if filters is None or (isinstance(filters, pikepdf.Array) and not len(filters)):
        return stream.read_raw_bytes()
    chain = [str(item) for item in filters] if isinstance(filters, pikepdf.Array) else [str(filters)]
    if chain == ["/FlateDecode"]:
        return signatures.inflate(stream.read_raw_bytes(), _MAX_EMBEDDED)
    raise Refusal(sentences.PDF_EMBEDDED.format(what=names.UNNAMED))


def _check_container(stream: pikepdf.Stream) -> None:
    """Objects packed together: counted here, because the parser quietly drops what it has no memory for."""
    packed = stream.read_raw_bytes()
    plain = _inflated(stream)
    if len(plain) > signatures.RATIO_FROM and len(plain) > signatures.MAX_RATIO * len(packed):
        raise Refusal(sentences.BOMB)


def _name(here: pikepdf.Object, key: str) -> str:
    value = here.get(key)
    return str(value) if isinstance(value, pikepdf.Name) else ""


def _is_null(value: object) -> bool:
    return value is None or (isinstance(value, pikepdf.Array | pikepdf.Dictionary) and not len(value))
