"""Forged and dangerous files, built in memory from the good ones of `samples`."""

from __future__ import annotations

import io
import struct
import zipfile
import zlib
from pathlib import Path

import pikepdf
import samples
from pikepdf import Array, Dictionary, Name, String

EXE = b"MZ" + bytes(58) + struct.pack("<I", 64) + b"PE\x00\x00" + b"\x4c\x01" + bytes(200)
OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(1016)
HTML = b"<!DOCTYPE html><html><script>alert(1)</script></html>"
EICAR = rb"X5O!P%@AP[4\PZX54(P^)7CC)7}$" + b"EICAR-STANDARD-ANTIVIRUS-TEST-FILE!$H+H*"
RELATIONS = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
MICROSOFT = "http://schemas.microsoft.com/office/2006/relationships"
FOLDER = Path(__file__).parent / "files"


def locked_workbook() -> bytes:
    """Return a workbook locked with a password, as Excel-like programs keep it: an OLE file around the cipher."""
    names = "".join(["EncryptionInfo", "EncryptedPackage"]).encode("utf-16-le")
    return OLE + names + bytes(4096)


def pdf_with(action: Dictionary, where: str = "/OpenAction", **options: object) -> bytes:
    """Return a PDF whose catalogue holds an action."""
    document = samples.blank_pdf()
    document.Root[where] = document.make_indirect(action) if where == "/OpenAction" else action
    return samples.saved_pdf(document, **options)


def pdf_script(**options: object) -> bytes:
    """Return a PDF that runs a script at opening."""
    return pdf_with(Dictionary(S=Name.JavaScript, JS=String("app.alert(1)")), **options)


def pdf_script_escaped() -> bytes:
    """Return a PDF whose script hides behind escaped names."""
    plain = pdf_script(object_stream_mode=pikepdf.ObjectStreamMode.disable)
    # Escapes make names longer, so the cross references are wrong and have to be rebuilt.
    return plain.replace(b"/JavaScript", b"/J#61vaScript").replace(b"/JS", b"/#4a#53")


def pdf_script_in_names() -> bytes:
    """Return a PDF with a script in the tree of names."""
    document = samples.blank_pdf()
    script = document.make_indirect(Dictionary(S=Name.JavaScript, JS=pikepdf.Stream(document, b"app.alert(1)")))
    document.Root.Names = Dictionary(JavaScript=Dictionary(Names=Array([String("a"), script])))
    return samples.saved_pdf(document, object_stream_mode=pikepdf.ObjectStreamMode.generate)


def pdf_chained() -> bytes:
    """Return a PDF where an innocent action is followed by a launch."""
    launch = Dictionary(S=Name.Launch, F=String("calc.exe"))
    return pdf_with(Dictionary(S=Name.Named, N=Name.FirstPage, Next=Array([launch])))


def pdf_field_script() -> bytes:
    """Return a PDF whose form field runs a script on a key stroke."""
    document = samples.blank_pdf()
    keystroke = Dictionary(S=Name.JavaScript, JS=String("AFNumber_Keystroke(2,0)"))
    field = Dictionary(
        Type=Name.Annot, Subtype=Name.Widget, FT=Name.Tx, T=String("a"), Rect=[0, 0, 9, 9], AA=Dictionary(K=keystroke)
    )
    widget = document.make_indirect(field)
    document.pages[0].obj.Annots = Array([widget])
    document.Root.AcroForm = Dictionary(Fields=Array([widget]))
    return samples.saved_pdf(document)


def pdf_page_link() -> bytes:
    """Return a PDF whose page asks the web when it opens."""
    document = samples.blank_pdf()
    document.pages[0].obj.AA = Dictionary(O=Dictionary(S=Name.URI, URI=String("https://evil.example/")))
    return samples.saved_pdf(document)


def pdf_form_xfa() -> bytes:
    """Return a PDF with an XFA form."""
    document = samples.blank_pdf()
    document.Root.AcroForm = Dictionary(Fields=Array([]), XFA=pikepdf.Stream(document, b"<xdp/>"))
    return samples.saved_pdf(document)


def pdf_carrying(name: str, body: bytes) -> bytes:
    """Return a PDF with a file inside."""
    document = samples.blank_pdf()
    document.attachments[name] = pikepdf.AttachedFileSpec(document, body, filename=name)
    return samples.saved_pdf(document)


def pdf_media() -> bytes:
    """Return a PDF with a film of Flash."""
    document = samples.blank_pdf()
    document.pages[0].obj.Annots = Array(
        [document.make_indirect(Dictionary(Type=Name.Annot, Subtype=Name.RichMedia, Rect=[0, 0, 9, 9]))]
    )
    return samples.saved_pdf(document)


def pdf_packed(body: bytes, catalogue: bytes = b"/OpenAction 5 0 R") -> bytes:
    """Return a PDF whose fifth object lies in a stream of objects with these packed bytes."""
    bodies = [
        b"<</Type/Catalog/Pages 2 0 R" + catalogue + b">>",
        b"<</Type/Pages/Kids[3 0 R]/Count 1>>",
        b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 9 9]>>",
        b"<</Type/ObjStm/N 1/First 4/Filter/FlateDecode/Length %d>>stream\n" % len(body) + body + b"\nendstream",
    ]
    out, rows = b"%PDF-1.5\n", bytes(6)
    for number, item in enumerate(bodies, start=1):
        rows += b"\x01" + struct.pack(">IB", len(out), 0)
        out += b"%d 0 obj\n" % number + item + b"\nendobj\n"
    rows += b"\x02" + struct.pack(">IB", 4, 0) + b"\x01" + struct.pack(">IB", len(out), 0)
    table = b"<</Type/XRef/Size 7/W[1 4 1]/Root 1 0 R/Length %d>>stream\n" % len(rows)
    return out + b"6 0 obj\n" + table + rows + b"\nendstream\nendobj\nstartxref\n%d\n%%%%EOF\n" % len(out)


def pdf_packed_bomb() -> bytes:
    """Return a PDF whose script hides behind 320 MB of blanks, where a parser short of memory would not look."""
    packer = zlib.compressobj(1)
    body = packer.compress(b"5 0 ") + b"".join(packer.compress(b" " * 1_000_000) for _ in range(320))
    return pdf_packed(body + packer.compress(b"<</S/JavaScript/JS(a)>>") + packer.flush())


def pdf_locked() -> bytes:
    """Return a PDF that asks for a password to open."""
    return samples.saved_pdf(samples.blank_pdf(), encryption=pikepdf.Encryption(owner="a", user="b"))


def pdf_without_pages() -> bytes:
    """Return a PDF with no page in it."""
    return samples.saved_pdf(pikepdf.new())


def relation(kind: str, target: str, external: bool = False, space: str = RELATIONS) -> bytes:
    """Return one relationship and the end of its part."""
    mode = ' TargetMode="External"' if external else ""
    return f'<Relationship Id="rId99" Type="{space}/{kind}" Target="{target}"{mode}/></Relationships>'.encode()


def docx_related(kind: str, target: str, external: bool = False, space: str = RELATIONS) -> bytes:
    """Return a document with one more relationship."""
    return samples.edited(
        samples.make_docx(),
        "word/_rels/document.xml.rels",
        b"</Relationships>",
        relation(kind, target, external, space),
    )


def xlsx_related(kind: str, target: str, external: bool = False, space: str = RELATIONS) -> bytes:
    """Return a workbook with one more relationship."""
    return samples.edited(
        samples.make_xlsx(), "xl/_rels/workbook.xml.rels", b"</Relationships>", relation(kind, target, external, space)
    )


def docx_field(*runs: str) -> bytes:
    """Return a document with a field whose code is spread over these runs."""
    code = "".join(f"<w:r><w:instrText>{run}</w:instrText></w:r>" for run in runs)
    field = f'<w:r><w:fldChar w:fldCharType="begin"/></w:r>{code}<w:r><w:fldChar w:fldCharType="end"/></w:r></w:p>'
    return samples.edited(samples.make_docx(), "word/document.xml", b"</w:p>", field.encode())


def docx_macro_renamed() -> bytes:
    """Return a document whose macro project hides under another name and type."""
    document = docx_related("vbaProject", "media/image1.png", space=MICROSOFT)
    return samples.changed(document, {"word/media/image1.png": OLE})


def xlsx_external_book(inner: bytes = b"<externalBook/>") -> bytes:
    """Return a workbook that is linked with another one."""
    part = (
        b'<externalLink xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main">' + inner + b"</externalLink>"
    )
    return samples.changed(
        xlsx_related("externalLink", "externalLinks/externalLink1.xml"), {"xl/externalLinks/externalLink1.xml": part}
    )


def xlsx_connection() -> bytes:
    """Return a workbook that asks a database when it opens."""
    part = (
        b'<connections xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main">'
        b'<connection id="1" type="4" refreshOnLoad="1"/></connections>'
    )
    return samples.changed(xlsx_related("connections", "connections.xml"), {"xl/connections.xml": part})


def xlsx_ribbon() -> bytes:
    """Return a workbook with a button that calls something."""
    part = b'<customUI xmlns="http://schemas.microsoft.com/office/2006/01/customui" onLoad="go"/>'
    return samples.changed(samples.make_xlsx(), {"customUI/customUI.xml": part})


def xlsx_wide_encoding() -> bytes:
    """Return a workbook whose sheet with a DDE formula is written in UTF-16."""
    members = samples.members_of(samples.make_xlsx_openpyxl("=cmd|' /C calc'!A0"))
    text = members["xl/worksheets/sheet1.xml"].decode()
    text = text.split("?>", 1)[-1] if text.startswith("<?xml") else text
    return samples.changed(samples.make_zip(members), {"xl/worksheets/sheet1.xml": text.encode("utf-16")})


def xlsx_entity() -> bytes:
    """Return a workbook with an entity bomb in a part."""
    bomb = b'<!DOCTYPE a [<!ENTITY x "xxxxxxxxxx"><!ENTITY y "&x;&x;&x;&x;">]><a>&y;</a>'
    return samples.changed(samples.make_xlsx(), {"xl/workbook.xml": bomb})


def bomb(size: int = 300_000_000, name: str = "xl/b.xml") -> bytes:
    """Return a workbook with one member of zeros."""
    out = io.BytesIO(samples.make_xlsx())
    with zipfile.ZipFile(out, "a", zipfile.ZIP_DEFLATED, compresslevel=1) as archive, archive.open(name, "w") as part:
        for _ in range(size // 1_000_000):
            part.write(bytes(1_000_000))
    return out.getvalue()


def overlapped_bomb(copies: int = 1000) -> bytes:
    """Return an archive whose members all share the same packed bytes."""
    data = samples.make_zip({"[Content_Types].xml": bytes(100_000)})
    at = data.rindex(b"PK\x01\x02")
    entry, end = data[at : data.rindex(b"PK\x05\x06")], bytearray(data[data.rindex(b"PK\x05\x06") :])
    entries = b"".join(entry.replace(b"[Content_Types].xml", b"%019d" % number) for number in range(copies))
    struct.pack_into("<HHI", end, 8, copies, copies, len(entries))
    return data[:at] + entries + bytes(end)


def patched(data: bytes, signature: bytes, offset: int, value: bytes) -> bytes:
    """Return an archive with bytes of its last record of that signature overwritten."""
    at = data.rindex(signature) + offset
    return data[:at] + value + data[at + len(value) :]


def claiming_4_gib() -> bytes:
    """Return a workbook one of whose members claims 4 GiB."""
    return patched(samples.make_xlsx(), b"PK\x01\x02", 24, struct.pack("<I", 0xFFFFFFF0))


def bomb_claiming_little() -> bytes:
    """Return a workbook with 50 MB of zeros that says they are ten bytes."""
    return patched(bomb(50_000_000, "xl/media/b.png"), b"PK\x01\x02", 24, struct.pack("<I", 10))


def lying_small() -> bytes:
    """Return a workbook one of whose members is larger than it says."""
    data = samples.make_xlsx()
    at = data.index(b"PK\x01\x02")
    return data[: at + 24] + struct.pack("<I", 10) + data[at + 28 :]


def encrypted_member() -> bytes:
    """Return an archive whose member is marked as encrypted."""
    return patched(samples.make_xlsx(), b"PK\x01\x02", 8, b"\x01\x00")


def many_members(count: int = 2001) -> bytes:
    """Return a workbook with too many parts."""
    return samples.changed(samples.make_xlsx(), {f"xl/media/{number}.png": b"x" for number in range(count)})


def hidden_member() -> bytes:
    """Return a workbook with a member that its directory does not know."""
    data = samples.make_xlsx()
    extra = samples.make_zip({"evil.exe": EXE}, method=zipfile.ZIP_STORED)
    extra = extra[: extra.index(b"PK\x01\x02")]
    at, end = data.index(b"PK\x01\x02"), data.rindex(b"PK\x05\x06")
    moved = bytearray(data[end:])
    struct.pack_into("<I", moved, 16, at + len(extra))
    return data[:at] + extra + data[at:end] + bytes(moved)


def odt_encrypted() -> bytes:
    """Return a text locked with a password, as LibreOffice marks it."""
    return samples.edited(
        samples.make_odt(),
        "META-INF/manifest.xml",
        b"</manifest:manifest>",
        b'<manifest:file-entry manifest:full-path="content.xml" manifest:media-type="text/xml">'
        b'<manifest:encryption-data manifest:checksum="a"/></manifest:file-entry></manifest:manifest>',
    )


def odt_element(element: bytes) -> bytes:
    """Return a text with one more element in its body."""
    spaces = (
        b'<x xmlns:xlink="http://www.w3.org/1999/xlink" '
        b'xmlns:draw="urn:oasis:names:tc:opendocument:xmlns:drawing:1.0" '
        b'xmlns:text="urn:oasis:names:tc:opendocument:xmlns:text:1.0" '
        b'xmlns:table="urn:oasis:names:tc:opendocument:xmlns:table:1.0" '
        b'xmlns:office="urn:oasis:names:tc:opendocument:xmlns:office:1.0" '
        b'xmlns:script="urn:oasis:names:tc:opendocument:xmlns:script:1.0">'
    )
    return samples.edited(
        samples.make_odt(), "content.xml", b"</office:text>", spaces + element + b"</x></office:text>"
    )


def png_huge() -> bytes:
    """Return a PNG whose header promises 60,000 × 60,000 points."""
    header = struct.pack(">IIBBBBB", 60_000, 60_000, 8, 0, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + samples.png_chunk(b"IHDR", header)
        + samples.png_chunk(b"IDAT", zlib.compress(bytes(100)))
        + samples.png_chunk(b"IEND", b"")
    )


def png_bomb() -> bytes:
    """Return a PNG of one point whose pixels inflate to 100 MB."""
    header = struct.pack(">IIBBBBB", 1, 1, 8, 0, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + samples.png_chunk(b"IHDR", header)
        + samples.png_chunk(b"IDAT", zlib.compress(bytes(100_000_000), 1))
        + samples.png_chunk(b"IEND", b"")
    )


def jpeg_size(width: int, height: int) -> bytes:
    """Return a JPEG with another size in its header."""
    data = samples.make_jpeg()
    at = data.index(b"\xff\xc0") + 5
    return data[:at] + struct.pack(">HH", height, width) + data[at + 4 :]


def jpeg_segment(body: bytes) -> bytes:
    """Return a JPEG with a comment in front of everything else."""
    return b"\xff\xd8\xff\xfe" + struct.pack(">H", len(body) + 2) + body + samples.make_jpeg()[2:]


def jpeg_of_text() -> bytes:
    """Return a good JPEG head with a text for a body."""
    data = samples.make_jpeg()
    at = data.index(b"\xff\xda") + 14
    return data[:at] + b"powershell -c start calc; " * 40 + b"\xff\xd9"
