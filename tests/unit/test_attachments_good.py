"""No good file is refused: what AutoCAD, SolidWorks, Excel, LibreOffice, 1C, phones and scanners write must pass."""

from __future__ import annotations

import io
import zipfile
import zlib
from collections.abc import Callable

import forgeries
import openpyxl
import pikepdf
import pytest
import samples
import xlsxwriter
from reportlab.pdfgen import canvas

from attachments import kinds
from attachments.judge import Judge

JPEG = samples.make_jpeg()
SECOND = samples.make_jpeg(size=(16, 12))


def owner_locked_pdf() -> bytes:
    return samples.saved_pdf(samples.blank_pdf(), encryption=pikepdf.Encryption(owner="secret", user=""))


def pdf_with_invoice() -> bytes:
    """PDF/A-3 carries the XML of an electronic invoice."""
    document = samples.blank_pdf()
    document.attachments["invoice.xml"] = pikepdf.AttachedFileSpec(document, b"<invoice/>", filename="invoice.xml")
    return samples.saved_pdf(document)


def pdf_with_form() -> bytes:
    out = io.BytesIO()
    sheet = canvas.Canvas(out)
    sheet.linkURL("https://example.com/", (10, 10, 100, 30))
    sheet.acroForm.textfield(name="size", x=50, y=700)
    sheet.bookmarkPage("start")
    sheet.showPage()
    sheet.save()
    return out.getvalue()


def pdf_opening_at_page() -> bytes:
    """A place to scroll to at opening, on a page with a web link, is no action."""
    document = samples.blank_pdf()
    link = pikepdf.Dictionary(
        Type=pikepdf.Name.Annot,
        Subtype=pikepdf.Name.Link,
        Rect=[0, 0, 9, 9],
        A=pikepdf.Dictionary(S=pikepdf.Name.URI, URI="https://example.com/"),
    )
    document.pages[0].obj.Annots = pikepdf.Array([document.make_indirect(link)])
    document.Root.OpenAction = pikepdf.Array([document.pages[0].obj, pikepdf.Name.Fit])
    return samples.saved_pdf(document)


def pdf_updated_twice() -> bytes:
    """Signing programs append to a PDF: several %%EOF are normal."""
    first = samples.make_pdf()
    at = first.rfind(b"startxref")
    start = first[at:].split()[1]
    trailer = first[first.rfind(b"trailer") : at].replace(b"trailer", b"").strip()[:-2]
    body = first + b"999 0 obj\n(note)\nendobj\n"
    xref = len(body)
    return (
        body
        + b"xref\n999 1\n%010d 00000 n \ntrailer\n" % len(first)
        + trailer.replace(b"/Size", b"/Size 1000 %")
        + (b"\n/Prev " + start + b" >>\nstartxref\n%d\n%%%%EOF\n" % xref)
    )


def repeated_rows_xlsx() -> bytes:
    """A table of 20,000 equal rows packs far better than most; it is still a table."""
    out = io.BytesIO()
    book = xlsxwriter.Workbook(out, {"in_memory": True})
    sheet = book.add_worksheet()
    for row in range(20_000):
        sheet.write_row(row, 0, [0, 0, 0, "шт."])
    book.close()
    return out.getvalue()


def styled_xlsx() -> bytes:
    out = io.BytesIO()
    book = xlsxwriter.Workbook(out, {"in_memory": True, "use_zip64": True})
    sheet = book.add_worksheet("Р|А")
    sheet.write(0, 0, "a|b =cmd|x")
    sheet.write_formula(1, 0, '=IF(A1="a|b";1;2)'.replace(";", ","))
    sheet.write_formula(2, 0, "='Р|А'!A1")
    sheet.write_comment(0, 0, "замечание")
    sheet.insert_image(3, 0, "p.png", {"image_data": io.BytesIO(samples.make_picture("PNG"))})
    chart = book.add_chart({"type": "column"})
    chart.add_series({"values": "='Р|А'!$A$1:$A$3"})
    sheet.insert_chart(5, 0, chart)
    sheet.protect("proba")
    sheet.data_validation("B1", {"validate": "list", "source": ["да", "нет"]})
    book.close()
    return out.getvalue()


def openpyxl_with_picture() -> bytes:
    from openpyxl.drawing.image import Image as Picture

    book = openpyxl.Workbook()
    book.active.add_image(Picture(io.BytesIO(samples.make_picture("PNG"))), "A1")
    book.create_sheet("Второй")["A1"].hyperlink = "https://example.com/"
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def docx_with(member: str, old: bytes, new: bytes) -> bytes:
    return samples.edited(samples.make_docx(), member, old, new)


def docx_with_relation(kind: str, target: str, mode: str = ' TargetMode="External"') -> bytes:
    space = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
    relation = f'<Relationship Id="rId99" Type="{space}/{kind}" Target="{target}"{mode}/></Relationships>'
    return docx_with("word/_rels/document.xml.rels", b"</Relationships>", relation.encode())


def docx_with_field(code: str) -> bytes:
    field = (
        '<w:r><w:fldChar w:fldCharType="begin"/></w:r><w:r><w:instrText xml:space="preserve"> '
        f'{code} </w:instrText></w:r><w:r><w:fldChar w:fldCharType="end"/></w:r></w:p></w:body>'
    )
    body = samples.members_of(samples.make_docx())["word/document.xml"]
    at = body.rindex(b"</w:p>")
    return samples.changed(samples.make_docx(), {"word/document.xml": body[:at] + field.encode() + b"</w:document>"})


def docx_with_chart() -> bytes:
    """Word keeps a chart's numbers as a workbook inside the document."""
    document = samples.edited(
        samples.make_docx(),
        "[Content_Types].xml",
        b"<Override",
        b'<Default Extension="xlsx" ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"/>'
        b"<Override",
    )
    return samples.changed(document, {"word/embeddings/Microsoft_Excel_Sheet.xlsx": samples.make_xlsx()})


def large_white_bitmap_docx() -> bytes:
    """A white page scanned as BMP packs 1000:1 and harms nobody below the ratio's threshold."""
    return samples.changed(samples.make_docx(), {"word/media/image1.bmp": b"BM" + b"\xff" * 6_000_000})


def xlsx_with_printer() -> bytes:
    settings = "Принтер".encode("utf-16-le") + bytes(200)
    return samples.changed(samples.make_xlsx(), {"xl/printerSettings/printerSettings1.bin": settings})


def streamed_zip(data: bytes) -> bytes:
    """Java and .NET write sizes behind the members (data descriptors)."""

    class Unseekable(io.RawIOBase):
        def __init__(self) -> None:
            self.buffer = io.BytesIO()

        def writable(self) -> bool:
            return True

        def write(self, piece: bytes) -> int:  # type: ignore[override]
            return self.buffer.write(piece)

    out = Unseekable()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:  # type: ignore[arg-type]
        for name, body in samples.members_of(data).items():
            with archive.open(name, "w") as member:
                member.write(body)
    return out.buffer.getvalue()


def backslash_xlsx() -> bytes:
    members = samples.members_of(samples.make_xlsx())
    info = {name.replace("/", "\\"): body for name, body in members.items()}
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for name, body in info.items():
            entry = zipfile.ZipInfo("x")
            entry.filename = name
            archive.writestr(entry, body)
    return out.getvalue()


def jpeg_with_metadata() -> bytes:
    from PIL import Image

    exif = Image.Exif()
    exif[0x010E] = "Шкаф <1200 мм>"
    exif[0x0112] = 6
    return samples.make_jpeg(exif=exif, dpi=(300, 300), comment=b"photo")


def png_of_animation() -> bytes:
    from PIL import Image

    frames = [Image.new("RGB", (8, 8), colour) for colour in ("red", "blue")]
    out = io.BytesIO()
    frames[0].save(out, "PNG", save_all=True, append_images=frames[1:])
    return out.getvalue()


def crlf(data: bytes) -> bytes:
    return data.replace(b"\n", b"\r\n")


GOOD: dict[str, tuple[str, Callable[[], bytes]]] = {
    "pdf by reportlab": ("a.pdf", samples.make_pdf),
    "pdf of many pages": ("a.PDF", lambda: samples.make_pdf(pages=60)),
    "pdf by qpdf": ("a.pdf", lambda: samples.saved_pdf(samples.blank_pdf())),
    "pdf with object streams": (
        "a.pdf",
        lambda: samples.saved_pdf(samples.blank_pdf(), object_stream_mode=pikepdf.ObjectStreamMode.generate),
    ),
    "pdf linearised": ("a.pdf", lambda: samples.saved_pdf(samples.blank_pdf(), linearize=True)),
    "pdf with owner's password only": ("a.pdf", owner_locked_pdf),
    "pdf with form and link": ("a.pdf", pdf_with_form),
    "pdf with an invoice in xml": ("a.pdf", pdf_with_invoice),
    "pdf that opens at a page": ("a.pdf", pdf_opening_at_page),
    "pdf changed incrementally": ("a.pdf", pdf_updated_twice),
    "pdf behind a byte order mark": ("a.pdf", lambda: b"\xef\xbb\xbf" + samples.make_pdf()),
    "pdf behind line breaks": ("a.pdf", lambda: b"\r\n\r\n" + samples.make_pdf()),
    "pdf of a printer": (
        "a.pdf",
        lambda: b"\x1b%-12345X@PJL ENTER LANGUAGE=PDF\r\n" + samples.make_pdf() + b"\x1b%-12345X",
    ),
    "pdf padded with zeros": ("a.pdf", lambda: samples.make_pdf() + bytes(5000)),
    "pdf without line break at end": ("a.pdf", lambda: samples.make_pdf().rstrip()),
    "pdf with text about /JavaScript": ("a.pdf", lambda: samples.make_pdf("/JS /JavaScript /Launch <script>")),
    "pdf with wrong cross references": ("a.pdf", lambda: samples.make_pdf().replace(b"startxref\n", b"startxref\n1")),
    "pdf with 200 nested arrays": ("a.pdf", lambda: samples.nested_arrays_pdf(200)),
    "pdf packed by hand": ("a.pdf", lambda: forgeries.pdf_packed(zlib.compress(b"5 0 [3 0 R /Fit]"))),
    "pdf packed behind owner's password": (
        "a.pdf",
        lambda: samples.saved_pdf(
            samples.blank_pdf(),
            encryption=pikepdf.Encryption(owner="a", user=""),
            object_stream_mode=pikepdf.ObjectStreamMode.generate,
        ),
    ),
    "dwg 2018": ("a.dwg", samples.make_dwg),
    "dwg 2013": ("Чертёж.DWG", lambda: samples.make_dwg(b"AC1027")),
    "dwg 2010": ("a.dwg", lambda: samples.make_dwg(b"AC1024")),
    "dwg 2007": ("a.dwg", lambda: samples.make_dwg(b"AC1021")),
    "dwg 2004": ("a.dwg", lambda: samples.make_dwg(b"AC1018")),
    "dwg 2000": ("a.dwg", lambda: samples.make_dwg(b"AC1015")),
    "dwg R14": ("a.dwg", lambda: samples.make_dwg(b"AC1014")),
    "dwg of zeros": ("a.dwg", lambda: b"AC1032" + bytes(2000)),
    "dxf R12 cp1251": ("a.dxf", lambda: samples.make_dxf("R12")),
    "dxf R2000 cp1251": ("a.dxf", lambda: samples.make_dxf("R2000")),
    "dxf R2010 utf-8": ("a.dxf", samples.make_dxf),
    "dxf R2018": ("a.DXF", lambda: samples.make_dxf("R2018")),
    "dxf with CRLF": ("a.dxf", lambda: crlf(samples.make_dxf("R2000"))),
    "dxf with CR only": ("a.dxf", lambda: samples.make_dxf("R12").replace(b"\n", b"\r")),
    "dxf binary": ("a.dxf", lambda: samples.make_dxf(binary=True)),
    "dxf binary R12": ("a.dxf", lambda: samples.make_dxf("R12", binary=True)),
    "dxf with comment": ("a.dxf", lambda: b"999\nKompas\n" + samples.make_dxf("R12")),
    "dxf behind a byte order mark": ("a.dxf", lambda: b"\xef\xbb\xbf" + samples.make_dxf()),
    "dxf of entities only": ("a.dxf", lambda: b"  0\nSECTION\n  2\nENTITIES\n  0\nENDSEC\n  0\nEOF"),
    "step": ("a.step", samples.make_step),
    "stp AP203": ("a.STP", lambda: samples.make_step("CONFIG_CONTROL_DESIGN")),
    "step with comment and padding": ("a.stp", lambda: b"/* KOMPAS */\n" + samples.make_step() + b"\x00\x00"),
    "step with signature": ("a.stp", lambda: samples.make_step() + b"SIGNATURE\r\nAbc+/=\r\nENDSEC;\r\n"),
    "step with several data sections": (
        "a.stp",
        lambda: samples.make_step().replace(b"DATA;", b"DATA('part',('AUTOMOTIVE_DESIGN'));"),
    ),
    "xlsx by xlsxwriter": ("a.xlsx", samples.make_xlsx),
    "xlsx by openpyxl": ("a.xlsx", samples.make_xlsx_openpyxl),
    "xlsx with chart, comment, picture, zip64": ("a.xlsx", styled_xlsx),
    "xlsx of 20,000 equal rows": ("a.xlsx", repeated_rows_xlsx),
    "xlsx with picture by openpyxl": ("a.xlsx", openpyxl_with_picture),
    "xlsx with printer settings": ("a.xlsx", xlsx_with_printer),
    "xlsx streamed": ("a.xlsx", lambda: streamed_zip(samples.make_xlsx())),
    "xlsx stored": (
        "a.xlsx",
        lambda: samples.make_zip(samples.members_of(samples.make_xlsx()), method=zipfile.ZIP_STORED),
    ),
    "xlsx with backslashes": ("a.xlsx", backslash_xlsx),
    "xlsx padded with zeros": ("a.xlsx", lambda: samples.make_xlsx() + bytes(512)),
    "docx by python-docx": ("a.docx", samples.make_docx),
    "docx with picture": ("a.docx", lambda: samples.make_docx(samples.make_picture("PNG"))),
    "docx with web link": ("a.docx", lambda: docx_with_relation("hyperlink", "https://example.com/")),
    "docx with template on own disk": (
        "a.docx",
        lambda: docx_with_relation("attachedTemplate", "file:///C:\\Users\\ivan\\Templates\\Normal.dotm"),
    ),
    "docx with lost picture on own disk": ("a.docx", lambda: docx_with_relation("image", "file:///D:\\foto\\1.jpg")),
    "docx with page number": ("a.docx", lambda: docx_with_field("PAGE \\* MERGEFORMAT")),
    "docx with link field": ("a.docx", lambda: docx_with_field('HYPERLINK "https://example.com/"')),
    "docx with pasted picture": (
        "a.docx",
        lambda: docx_with_field('INCLUDEPICTURE "cid:image001.png" \\* MERGEFORMAT'),
    ),
    "docx with chart's workbook": ("a.docx", docx_with_chart),
    "docx with white bitmap": ("a.docx", large_white_bitmap_docx),
    "docx of DDE as text": ("a.docx", lambda: docx_with("word/document.xml", "Ширина".encode(), b"DDEAUTO cmd|")),
    "ods by odfpy": ("a.ods", samples.make_ods),
    "ods with arrays and quotes": ("a.ods", lambda: samples.make_ods('of:=SUM({1;2|3;4})&"DDE("')),
    "odt by odfpy": ("a.odt", samples.make_odt),
    "odt with empty macro library": (
        "a.odt",
        lambda: samples.changed(samples.make_odt(), {"Basic/Standard/script-lb.xml": b"<library/>"}),
    ),
    "jpeg": ("a.jpg", samples.make_jpeg),
    "jpeg as JPEG": ("a.JPEG", samples.make_jpeg),
    "jpeg progressive": ("a.jpg", lambda: samples.make_jpeg(progressive=True)),
    "jpeg CMYK": ("a.jpg", lambda: samples.make_jpeg(mode="CMYK")),
    "jpeg grey": ("a.jpg", lambda: samples.make_jpeg(mode="L")),
    "jpeg with EXIF": ("a.jpg", jpeg_with_metadata),
    "jpeg with restarts": ("a.jpg", lambda: samples.make_jpeg(restart_marker_blocks=1, size=(400, 300))),
    "jpeg with Samsung block": ("a.jpg", lambda: JPEG + samples.samsung_block()),
    "jpeg with second picture": ("a.jpg", lambda: JPEG + SECOND),
    "jpeg with padded second picture": ("a.jpg", lambda: JPEG + bytes(64) + SECOND),
    "jpeg with HDR map and film": ("a.jpg", lambda: JPEG + SECOND + samples.make_film()),
    "jpeg with film": ("a.jpg", lambda: JPEG + samples.make_film()),
    "jpeg with film in Samsung block": ("a.jpg", lambda: JPEG + samples.samsung_block(samples.make_film())),
    "jpeg with phone's note": ("a.jpg", lambda: JPEG + b'vivo{"version":1,"mode":"photo"}'),
    "jpeg padded": ("a.jpg", lambda: JPEG + bytes(4096)),
    "png": ("a.png", lambda: samples.make_picture("PNG")),
    "png palette": ("a.png", lambda: samples.make_picture("PNG", mode="P")),
    "png 16 bit": ("a.png", lambda: samples.make_picture("PNG", mode="I;16")),
    "png transparent": ("a.png", lambda: samples.make_picture("PNG", mode="RGBA")),
    "png bitmap": ("a.png", lambda: samples.make_picture("PNG", mode="1")),
    "png animated": ("a.png", png_of_animation),
    "png with Samsung block": ("a.png", lambda: samples.make_picture("PNG") + samples.samsung_block()),
    "webp": ("a.webp", lambda: samples.make_picture("WEBP")),
    "webp lossless": ("a.webp", lambda: samples.make_picture("WEBP", lossless=True)),
    "webp with alpha": ("a.webp", lambda: samples.make_picture("WEBP", mode="RGBA")),
    "webp with EXIF": (
        "a.webp",
        lambda: samples.make_picture("WEBP", exif=b"Exif\x00\x00MM\x00*\x00\x00\x00\x08\x00\x00"),
    ),
    "heic": ("a.heic", samples.make_heic),
    "heic with film": ("a.HEIC", lambda: samples.make_heic() + b"\x00\x00\x04\x20mpvd" + bytes(0x418)),
}

TRUE_NAMES = {
    "jpeg under png": ("фото.png", samples.make_jpeg, "фото.jpg"),
    "heic under jpg": ("IMG_1.JPG", samples.make_heic, "IMG_1.heic"),
    "png under jpeg": ("скан.jpeg", lambda: samples.make_picture("PNG"), "скан.png"),
    "webp under jpg": ("a.b.jpg", lambda: samples.make_picture("WEBP"), "a.b.webp"),
}


@pytest.fixture(scope="module")
def judge() -> Judge:
    return Judge()


@pytest.mark.parametrize("case", GOOD)
def test_good_file_is_accepted(judge: Judge, case: str) -> None:
    name, make = GOOD[case]
    verdict = judge.verdict(name, make())
    assert (verdict.verdict, verdict.reason) == ("accept", "")
    assert verdict.name == name
    assert verdict.mime == kinds.MIME[verdict.kind]


@pytest.mark.parametrize("case", TRUE_NAMES)
def test_picture_under_another_pictures_ending_gets_its_true_one(judge: Judge, case: str) -> None:
    name, make, true = TRUE_NAMES[case]
    assert judge.judge(name, make()) == (True, true)


def test_corpus_is_broad() -> None:
    assert len(GOOD) + len(TRUE_NAMES) >= 40
    assert {kinds.kind_of(name.rpartition(".")[2].lower()) for name, _ in GOOD.values()} == {
        kinds.kind_of(ending) for ending in kinds.DEFAULT
    }


def test_exactly_the_limit_is_accepted_and_one_byte_more_is_not(judge: Judge) -> None:
    limit = 20 * 1024 * 1024
    pdf = samples.make_pdf()
    assert judge.judge("a.pdf", pdf + bytes(limit - len(pdf))) == (True, "a.pdf")
    accepted, sentence = judge.judge("a.pdf", pdf + bytes(limit - len(pdf) + 1))
    assert not accepted
    assert "20,1 МБ, можно до 20 МБ" in sentence


def test_drawing_of_unusual_checksum_is_not_decoded_on_the_way(judge: Judge) -> None:
    """The judge answers about bytes and returns none: what was judged is what is kept."""
    data = samples.make_dwg()
    before = zlib.crc32(data)
    judge.verdict("a.dwg", data)
    assert zlib.crc32(data) == before
