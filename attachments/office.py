"""Office Open XML: workbooks and documents of Excel, Word, LibreOffice, 1C and the like.

What a part is follows from content types, relationships and its own first bytes, never from its name alone, so that a
macro project under another name is still one. Source of the form: ECMA-376 part 2 (packages), part 1 (content).
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Callable

from attachments import links, sentences, signatures, xmlread
from attachments.sentences import Refusal
from attachments.zipread import Archive, Member

CONTENT_TYPES = "[Content_Types].xml"
MAX_NESTED = 50 * 1024 * 1024

_MAIN_KINDS = (
    ("spreadsheetml.sheet.main+xml", "xlsx"),
    ("wordprocessingml.document.main+xml", "docx"),
    ("presentationml.", "презентация"),
    ("template.main+xml", "шаблон документа"),
)
_ACTIVE_TYPES = (
    ("vbaproject", sentences.MACROS),
    ("vbadata", sentences.MACROS),
    ("macroenabled", sentences.MACROS),
    ("macrosheet", sentences.MACROS),
    ("dialogsheet", sentences.MACROS),
    ("attachedtoolbars", sentences.MACROS),
    ("activex", sentences.ACTIVE_CONTENT.format(what="ActiveX")),
)
_ACTIVE_RELATIONS = {
    "vbaproject": sentences.MACROS,
    "vbaprojectsignature": sentences.MACROS,
    "wordvbadata": sentences.MACROS,
    "xlmacrosheet": sentences.MACROS,
    "xlintlmacrosheet": sentences.MACROS,
    "dialogsheet": sentences.MACROS,
    "attachedtoolbars": sentences.MACROS,
    "control": sentences.ACTIVE_CONTENT.format(what="ActiveX"),
    "activexcontrolbinary": sentences.ACTIVE_CONTENT.format(what="ActiveX"),
    "oleobject": sentences.EMBEDDED_OBJECT.format(what="OLE"),
    "afchunk": sentences.EMBEDDED_OBJECT.format(what="текст в чужом формате"),
}
_LOCAL_ALLOWED = frozenset({"image", "attachedtemplate"})
_INCLUDES = frozenset({"INCLUDEPICTURE", "INCLUDETEXT", "INCLUDE", "IMPORT", "RD"})
_CHARACTER_CODES = re.compile(r"QUOTE(?:\s+\d+){3,}", re.IGNORECASE)
_QUOTED = re.compile(r'"([^"]*)"|(\S+)')
_UNPROVED = ("docprops/", "customxml/")  # no program refuses a document for these

_CELL_WORDS = re.compile(
    rb"<(?:[\w.-]+:)?(?:f|definedName)\b[^<]*(?:\||&#|WEBSERVICE|RTD|CALL|REGISTER|EXEC|IMAGE|DDE)|<!\[CDATA\[",
    re.IGNORECASE,
)
_TEXT_WORDS = re.compile(rb"instrText|fldSimple|\bsrc\s*=", re.IGNORECASE)
_VML_SOURCE = re.compile(rb"\bsrc\s*=\s*[\"']\s*([^\"']+)", re.IGNORECASE)

Nested = Callable[[bytes], None]


def examine(archive: Archive, nested: Nested) -> str:
    """Return `xlsx` or `docx`, or what else the package is, in Russian. Raises Refusal.

    `nested` judges a package that lies inside this one (a chart's workbook) or refuses it.
    """
    parts = {member.name.casefold(): member for member in archive.members if not member.is_folder}
    types = _Types()
    xmlread.parse(archive.chunks(parts[CONTENT_TYPES.casefold()]), types)
    kind = _kind(archive, parts, types)
    for name, member in parts.items():
        _check_part(archive, name, member, types.of(name), kind, nested)
    if kind == "xlsx" and not any(types.of(name).endswith(("worksheet+xml", "chartsheet+xml")) for name in parts):
        raise Refusal(sentences.DAMAGED.format(detail="в книге нет листов"))
    return kind


class _Types(xmlread.Handler):
    """The content types of a package."""

    def __init__(self) -> None:
        self._defaults: dict[str, str] = {}
        self._overrides: dict[str, str] = {}

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        """Take one Default or Override."""
        value = attributes.get("ContentType", "").casefold()
        if tag.endswith("}Default"):
            self._defaults[attributes.get("Extension", "").casefold()] = value
        elif tag.endswith("}Override"):
            self._overrides[attributes.get("PartName", "").lstrip("/").casefold()] = value

    def of(self, name: str) -> str:
        """Return the content type of a part in lower case, or an empty text."""
        return self._overrides.get(name) or self._defaults.get(name.rpartition(".")[2], "")


class _Relations(xmlread.Handler):
    """The relationships of one part; refuses what loads or runs by itself."""

    def __init__(self) -> None:
        self.main = ""

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        """Take one Relationship."""
        if not tag.endswith("}Relationship"):
            return
        kind = attributes.get("Type", "").rstrip("/").rpartition("/")[2].casefold()
        target = attributes.get("Target", "")
        if attributes.get("TargetMode", "").casefold() == "external":
            _check_external(kind, target)
        elif kind in _ACTIVE_RELATIONS:
            raise Refusal(_ACTIVE_RELATIONS[kind])
        elif kind == "officedocument":
            self.main = posixpath.normpath(target.lstrip("/")).casefold()


def _check_external(kind: str, target: str) -> None:
    if kind == "hyperlink" or (kind in _LOCAL_ALLOWED and links.is_local(target)):
        return
    names = {"attachedtemplate": "шаблон", "image": "картинка", "oleobject": "связанный объект", "frame": "рамка"}
    raise Refusal(sentences.EXTERNAL_LINK.format(what=names.get(kind, "связь с другим файлом")))


def _kind(archive: Archive, parts: dict[str, Member], types: _Types) -> str:
    root = parts.get("_rels/.rels")
    relations = _Relations()
    if root:
        xmlread.parse(archive.chunks(root), relations)
    if relations.main not in parts:
        raise Refusal(sentences.DAMAGED.format(detail="нет главной части"))
    content_type = types.of(relations.main)
    if "macroenabled" in content_type or "binary" in content_type:
        raise Refusal(sentences.MACROS)
    return next((kind for mark, kind in _MAIN_KINDS if mark in content_type), "")


def _check_part(archive: Archive, name: str, member: Member, content_type: str, kind: str, nested: Nested) -> None:
    for mark, sentence in _ACTIVE_TYPES:
        if mark in content_type or mark in name.rpartition("/")[2]:
            raise Refusal(sentence)
    if "/activex/" in name or "/macrosheets/" in name:
        raise Refusal(sentences.ACTIVE_CONTENT.format(what="ActiveX") if "/activex/" in name else sentences.MACROS)
    if name.startswith("xl/externallinks/") and name.endswith(".xml"):
        dde = re.search(rb"ddeLink", archive.read(member, MAX_NESTED))
        raise Refusal(sentences.DDE if dde else sentences.EXTERNAL_LINK.format(what="другая книга"))
    head = archive.head(member)
    if head.startswith(signatures.OLE) or "oleobject" in content_type:
        raise Refusal(sentences.EMBEDDED_OBJECT.format(what="OLE"))
    if signatures.program(head):
        raise Refusal(sentences.PROGRAM)
    if signatures.archive(head):
        nested(archive.read(member, MAX_NESTED))
    elif name.endswith(".vml") or "vmldrawing" in content_type:
        _check_vml(archive.read(member, MAX_NESTED))
    elif _is_xml(name, content_type):
        _check_xml(archive, name, member, content_type, kind)
    elif "/embeddings/" in name:
        raise Refusal(sentences.EMBEDDED_OBJECT.format(what=member.name.rpartition("/")[2]))
    else:
        for _ in archive.chunks(member):
            pass


def _is_xml(name: str, content_type: str) -> bool:
    return name.endswith((".xml", ".rels")) or content_type.endswith(("+xml", "/xml"))


def _check_xml(archive: Archive, name: str, member: Member, content_type: str, kind: str) -> None:
    if name.startswith(_UNPROVED) and not name.endswith(".rels"):
        for _ in archive.chunks(member):
            pass
        return
    if name.endswith(".rels"):
        xmlread.parse(archive.chunks(member), _Relations())
        return
    if "customui" in name or "customui" in content_type or "usercustomization" in name:
        xmlread.parse(archive.chunks(member), _Ribbon())
        return
    if name == "xl/connections.xml" or name.startswith("xl/querytables/"):
        xmlread.parse(archive.chunks(member), _Connections())
        return
    watch = xmlread.Watch(archive.chunks(member), _TEXT_WORDS if kind == "docx" else _CELL_WORDS)
    xmlread.parse(watch)
    if watch.hit:
        xmlread.parse(archive.chunks(member), _Fields() if kind == "docx" else _Formulas())


def _check_vml(body: bytes) -> None:
    """VML of old Excel is not always well-formed, so its sources are looked for as text."""
    for found in _VML_SOURCE.finditer(body.replace(b"\x00", b"")):
        _check_source(found[1].decode("utf-8", "replace"))


def _check_source(target: str) -> None:
    if not links.is_local(target) and not target.startswith(("data:", "cid:")):
        raise Refusal(sentences.EXTERNAL_LINK.format(what="картинка"))


class _Ribbon(xmlread.Handler):
    """Buttons of one's own: harmless as a picture, active as soon as they call something."""

    def start(self, _tag: str, attributes: dict[str, str]) -> None:
        """Take one control."""
        if any(name.startswith(("on", "get")) or name == "loadImage" for name in attributes):
            raise Refusal(sentences.ACTIVE_CONTENT.format(what="кнопки с макросами"))


class _Connections(xmlread.Handler):
    """Connections to databases and web pages: refused when they refresh without being asked."""

    def start(self, _tag: str, attributes: dict[str, str]) -> None:
        """Take one connection or query table."""
        interval = attributes.get("interval", "0")
        if attributes.get("refreshOnLoad", "0") in ("1", "true") or interval not in ("", "0"):
            raise Refusal(sentences.EXTERNAL_LINK.format(what="подключение к данным"))


class _Formulas(xmlread.Handler):
    """Formulas of cells and defined names."""

    def __init__(self) -> None:
        self._text: list[str] | None = None

    def start(self, tag: str, _attributes: dict[str, str]) -> None:
        """Begin a formula."""
        if tag.endswith(("}f", "}definedName")):
            self._text = []

    def data(self, text: str) -> None:
        """Take a piece of the formula."""
        if self._text is not None:
            self._text.append(text)

    def end(self, tag: str) -> None:
        """Judge the finished formula."""
        if self._text is None or not tag.endswith(("}f", "}definedName")):
            return
        formula, self._text = "".join(self._text), None
        if links.is_dde(formula):
            raise Refusal(sentences.DDE)
        if function := links.fetches(formula):
            raise Refusal(sentences.EXTERNAL_LINK.format(what=f"функция {function}"))


class _Fields(xmlread.Handler):
    """Fields of a Word document: the code of one field may be spread over many runs."""

    def __init__(self) -> None:
        self._open: list[list[str]] = [[]]
        self._taking = False

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        """Follow the border of fields; judge simple ones at once."""
        local = tag.rpartition("}")[2]
        values = {name.rpartition("}")[2]: value for name, value in attributes.items()}
        if local == "fldChar":
            self._border(values.get("fldCharType", ""))
        elif local == "fldSimple":
            _check_field(values.get("instr", ""))
        elif "src" in values:
            _check_source(values["src"])
        self._taking = local == "instrText"

    def data(self, text: str) -> None:
        """Take a piece of a field's code."""
        if self._taking:
            self._open[-1].append(text)

    def end(self, tag: str) -> None:
        """Stop taking text; what belongs to no field is judged with the document's end."""
        self._taking = False
        if tag.endswith(("}body", "}hdr", "}ftr")):
            for pieces in self._open:
                _check_field("".join(pieces))

    def _border(self, kind: str) -> None:
        if kind == "begin":
            self._open.append([])
        elif kind == "separate":
            _check_field("".join(self._open[-1]))
        elif kind == "end" and len(self._open) > 1:
            code = "".join(self._open.pop())
            _check_field(code)


def _check_field(code: str) -> None:
    words = [quoted or plain for quoted, plain in _QUOTED.findall(code)]
    verb = words[0].upper() if words else ""
    if verb in ("DDE", "DDEAUTO") or _CHARACTER_CODES.match(code.strip()):
        raise Refusal(sentences.DDE)
    if verb == "LINK":
        raise Refusal(sentences.EXTERNAL_LINK.format(what="связанный объект"))
    if verb in _INCLUDES and any(_is_remote(word) for word in words[1:]):
        raise Refusal(sentences.EXTERNAL_LINK.format(what="вставка из другого файла"))


def _is_remote(word: str) -> bool:
    """Switches such as `\\* MERGEFORMAT` are no paths; paths double their backslashes inside a field."""
    if word.startswith("\\") and not word.startswith("\\\\"):
        return False
    return not links.is_local(word) and not word.casefold().startswith("cid:")
