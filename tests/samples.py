"""Good files, made by the libraries whose programs people use or by hand where no library writes the kind.

Everything is built in memory at run time. The builders of forged files stand in `tests/forgeries.py`.
"""

from __future__ import annotations

import base64
import io
import struct
import zipfile
import zlib
from collections.abc import Mapping

import docx
import ezdxf
import openpyxl
import pikepdf
import xlsxwriter
from odf import opendocument as odf_opendocument
from odf import table as odf_table
from odf import text as odf_text
from PIL import Image
from reportlab.pdfgen import canvas

# A 64 x 64 picture as heif-enc of libheif writes it; no library that we may use writes HEIC.
_HEIC = (
    "AAAAHGZ0eXBoZWljAAAAAG1pZjFoZWljbWlhZgAAAUJtZXRhAAAAAAAAACFoZGxyAAAAAAAAAABwaWN0AAAAAAAAAAAAAAAAAAAAAA5w"
    "aXRtAAAAAAABAAAAImlsb2MAAAAAREAAAQABAAAAAAFmAAEAAAAAAAAAGQAAACNpaW5mAAAAAAABAAAAFWluZmUCAAAAAAEAAGh2YzEA"
    "AAAAwmlwcnAAAACkaXBjbwAAAHhodmNDAQNwAAAAAAAAAAAAHvAA/P34+AAADwMgAAEAGEABDAH//wNwAAADAJAAAAMAAAMAHroCQCEA"
    "AQArQgEBA3AAAAMAkAAAAwAAAwAeoCCBBZbqSSmubgQEDAgAAAMACAAAAwAIQCIAAQAHRAHBcrAiQAAAABRpc3BlAAAAAAAAAEAAAABA"
    "AAAAEHBpeGkAAAAAAwgICAAAABZpcG1hAAAAAAAAAAEAAQOBAoMAAAAhbWRhdAAAABUoAa8ZgPd8hTe0xOH/qeC/yIFeLRw="
)


def make_pdf(text: str = "Order sheet", pages: int = 1) -> bytes:
    """Return a PDF as reportlab writes it."""
    out = io.BytesIO()
    sheet = canvas.Canvas(out)
    for number in range(pages):
        sheet.drawString(72, 720, f"{text} {number + 1}")
        sheet.showPage()
    sheet.save()
    return out.getvalue()


def nested_arrays_pdf(depth: int) -> bytes:
    """Return a PDF with an object of so many arrays in each other."""
    bodies = [
        b"<</Type/Catalog/Pages 2 0 R/Deep 4 0 R>>",
        b"<</Type/Pages/Kids[3 0 R]/Count 1>>",
        b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 9 9]>>",
        b"[" * depth + b"]" * depth,
    ]
    out, offsets = b"%PDF-1.4\n", []
    for number, body in enumerate(bodies, start=1):
        offsets.append(len(out))
        out += b"%d 0 obj\n" % number + body + b"\nendobj\n"
    xref = len(out)
    out += b"xref\n0 5\n0000000000 65535 f \n" + b"".join(b"%010d 00000 n \n" % offset for offset in offsets)
    return out + b"trailer<</Root 1 0 R/Size 5>>\nstartxref\n%d\n%%%%EOF\n" % xref


def saved_pdf(document: pikepdf.Pdf, **options: object) -> bytes:
    """Return a pikepdf document as bytes."""
    out = io.BytesIO()
    document.save(out, **options)  # type: ignore[arg-type]
    return out.getvalue()


def blank_pdf() -> pikepdf.Pdf:
    """Return a document of one empty page, to be added to."""
    document = pikepdf.new()
    document.add_blank_page()
    return document


def make_xlsx(rows: int = 5) -> bytes:
    """Return a workbook as xlsxwriter writes it, with a formula and a link."""
    out = io.BytesIO()
    book = xlsxwriter.Workbook(out, {"in_memory": True})
    sheet = book.add_worksheet("Смета")
    for row in range(rows):
        sheet.write_row(row, 0, [f"Позиция {row + 1}", row * 100, "шт."])
    sheet.write_formula(rows, 1, f"=SUM(B1:B{rows})")
    sheet.write_url(rows + 1, 0, "https://example.com/")
    book.close()
    return out.getvalue()


def make_xlsx_openpyxl(formula: str = "=SUM(A1:A2)") -> bytes:
    """Return a workbook as openpyxl writes it, with one formula."""
    book = openpyxl.Workbook()
    book.active["A1"] = 1
    book.active["A2"] = formula
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def make_docx(picture: bytes | None = None) -> bytes:
    """Return a document as python-docx writes it."""
    document = docx.Document()
    document.add_heading("Задание на шкаф", 1)
    document.add_paragraph("Ширина 1200 мм, глубина 600 мм.")
    if picture:
        document.add_picture(io.BytesIO(picture))
    out = io.BytesIO()
    document.save(out)
    return out.getvalue()


def make_ods(formula: str = "of:=SUM([.A1:.A1])") -> bytes:
    """Return a sheet as odfpy writes it."""
    document = odf_opendocument.OpenDocumentSpreadsheet()
    sheet = odf_table.Table(name="Смета")
    row = odf_table.TableRow()
    row.addElement(odf_table.TableCell(valuetype="float", value="5"))
    row.addElement(odf_table.TableCell(valuetype="float", value="5", formula=formula))
    sheet.addElement(row)
    document.spreadsheet.addElement(sheet)
    return _saved_odf(document)


def make_odt(text: str = "Задание на шкаф") -> bytes:
    """Return a text as odfpy writes it."""
    document = odf_opendocument.OpenDocumentText()
    document.text.addElement(odf_text.P(text=text))
    return _saved_odf(document)


def _saved_odf(document: odf_opendocument.OpenDocument) -> bytes:
    out = io.BytesIO()
    document.write(out)
    return out.getvalue()


def make_dxf(version: str = "R2010", binary: bool = False, text: str = "Шкаф") -> bytes:
    """Return a drawing as ezdxf writes it; versions before R2007 are in the code page cp1251."""
    drawing = ezdxf.new(version)
    drawing.encoding = "cp1251" if version in ("R12", "R2000", "R2004") else "utf-8"
    space = drawing.modelspace()
    space.add_line((0, 0), (1200, 0))
    space.add_text(text)
    space.add_circle((10, 10), 5)
    if binary:
        out = io.BytesIO()
        drawing.write(out, fmt="bin")
        return out.getvalue()
    stream = io.StringIO()
    drawing.write(stream)
    return stream.getvalue().encode(drawing.output_encoding, "replace")


def make_picture(kind: str, mode: str = "RGB", size: tuple[int, int] = (64, 48), **options: object) -> bytes:
    """Return a picture as pillow writes it; kind JPEG, PNG, WEBP, GIF, BMP or TIFF."""
    picture = Image.radial_gradient("L").resize(size).convert(mode) if mode != "I;16" else Image.new(mode, size, 4000)
    out = io.BytesIO()
    picture.save(out, kind, **options)
    return out.getvalue()


def make_jpeg(**options: object) -> bytes:
    """Return a photo."""
    return make_picture("JPEG", **options)  # type: ignore[arg-type]


def make_heic() -> bytes:
    """Return a picture as phones of one maker keep them."""
    return base64.b64decode(_HEIC)


def make_dwg(version: bytes = b"AC1032", length: int = 4096) -> bytes:
    """Return the head of a DWG drawing and a body that is no text: zlib-like noise, the same each time."""
    noise = b"".join(struct.pack("<I", (number * 2654435761) & 0xFFFFFFFF) for number in range(length // 4))
    return version + bytes(5) + b"\x02\x03" + struct.pack("<I", 0) + b"\x21\x21\x1e\x00" + noise


def make_step(schema: str = "AUTOMOTIVE_DESIGN") -> bytes:
    """Return a STEP model of one point."""
    return (
        "ISO-10303-21;\r\nHEADER;\r\nFILE_DESCRIPTION(('Шкаф'),'2;1');\r\n"
        "FILE_NAME('shkaf.step','2026-11-01T10:00:00',('Иванов'),(''),'SwSTEP 2.0','SolidWorks 2022','');\r\n"
        f"FILE_SCHEMA(('{schema}'));\r\nENDSEC;\r\nDATA;\r\n"
        "#1=CARTESIAN_POINT('',(0.,0.,0.));\r\n#2=DIRECTION('',(0.,0.,1.));\r\nENDSEC;\r\nEND-ISO-10303-21;\r\n"
    ).encode("cp1251")


def make_film() -> bytes:
    """Return the boxes of a motion photo's film."""
    return _box(b"ftyp", b"mp42\x00\x00\x00\x00isom") + _box(b"moov", bytes(40)) + _box(b"mdat", bytes(range(256)) * 4)


def samsung_block(body: bytes = b"1700000000000") -> bytes:
    """Return the block that Samsung's camera puts behind a picture."""
    block = b"\x00\x00\x01\x0a" + struct.pack("<I", 14) + b"Image_UTC_Data" + body
    directory = b"SEFH" + struct.pack("<II", 107, 1) + b"\x00\x00\x01\x0a" + struct.pack("<II", len(block), len(block))
    return block + directory + struct.pack("<I", len(directory)) + b"SEFT"


def _box(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", 8 + len(body)) + kind + body


def make_zip(members: Mapping[str, bytes], comment: bytes = b"", method: int = zipfile.ZIP_DEFLATED) -> bytes:
    """Return an archive of these members."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", method) as archive:
        for name, body in members.items():
            archive.writestr(name, body)
        archive.comment = comment
    return out.getvalue()


def members_of(data: bytes) -> dict[str, bytes]:
    """Return the members of an archive, in order."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        return {info.filename: archive.read(info) for info in archive.infolist()}


def changed(data: bytes, changes: Mapping[str, bytes | None]) -> bytes:
    """Return an office file with some members replaced, added, or (None) left out."""
    merged = {**members_of(data), **changes}
    return make_zip({name: body for name, body in merged.items() if body is not None})


def edited(data: bytes, member: str, old: bytes, new: bytes) -> bytes:
    """Return an office file with one piece of one member replaced; the piece must be there."""
    body = members_of(data)[member]
    assert old in body
    return changed(data, {member: body.replace(old, new, 1)})


def png_chunk(kind: bytes, body: bytes) -> bytes:
    """Return one chunk of a PNG picture with its checksum."""
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
