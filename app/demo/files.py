"""Real files of a furniture order, made by the libraries whose formats they are, readable by their programs."""

from __future__ import annotations

import io
import random
from dataclasses import dataclass
from decimal import Decimal

import xlsxwriter
from ezdxf.filemanagement import new as new_dxf
from PIL import Image, ImageDraw
from reportlab.lib.pagesizes import A4
from reportlab.lib.units import mm
from reportlab.pdfgen import canvas


@dataclass(frozen=True, slots=True)
class MadeFile:
    """A file as a person would attach it."""

    name: str
    data: bytes
    mime: str


@dataclass(frozen=True, slots=True)
class Cabinet:
    """Outer sizes in millimetres and the number of sections."""

    width: int
    height: int
    depth: int
    sections: int


def make_cabinet(rng: random.Random) -> Cabinet:
    """Return a cabinet of plausible size."""
    return Cabinet(
        rng.randrange(900, 3000, 50), rng.randrange(700, 2600, 50), rng.randrange(350, 700, 10), rng.randint(2, 5)
    )


def sketch_jpeg(name: str, cabinet: Cabinet) -> MadeFile:
    """Draw the customer's pencil sketch as a photograph would show it (JPEG)."""
    image = Image.new("RGB", (1200, 900), "#f4f1e8")
    draw = ImageDraw.Draw(image)
    scale = min(1000 / cabinet.width, 700 / cabinet.height)
    width, height = cabinet.width * scale, cabinet.height * scale
    left, top = (1200 - width) / 2, (900 - height) / 2
    draw.rectangle((left, top, left + width, top + height), outline="#3a3a3a", width=5)
    for section in range(1, cabinet.sections):
        x = left + width * section / cabinet.sections
        draw.line((x, top, x, top + height), fill="#3a3a3a", width=3)
    draw.text((left, top - 30), f"{cabinet.width} x {cabinet.height} x {cabinet.depth}", fill="#20406a")
    out = io.BytesIO()
    image.save(out, "JPEG", quality=82)
    return MadeFile(name, out.getvalue(), "image/jpeg")


def drawing_pdf(name: str, cabinet: Cabinet, title: str) -> MadeFile:
    """Draw a dimensioned front view to scale on A4 (PDF)."""
    out = io.BytesIO()
    page = canvas.Canvas(out, pagesize=A4)
    page.setTitle(title)
    page.setFont("Helvetica", 12)
    scale = min(160 * mm / cabinet.width, 220 * mm / cabinet.height)
    left, bottom = 25 * mm, 30 * mm
    width, height = cabinet.width * scale, cabinet.height * scale
    page.rect(left, bottom, width, height)
    for section in range(1, cabinet.sections):
        x = left + width * section / cabinet.sections
        page.line(x, bottom, x, bottom + height)
    page.drawCentredString(left + width / 2, bottom - 6 * mm, f"{cabinet.width} mm")
    page.drawString(left + width + 3 * mm, bottom + height / 2, f"{cabinet.height} mm")
    page.drawString(left, A4[1] - 20 * mm, f"{cabinet.width} x {cabinet.height} x {cabinet.depth} mm")
    page.showPage()
    page.save()
    return MadeFile(name, out.getvalue(), "application/pdf")


def drawing_dxf(name: str, cabinet: Cabinet) -> MadeFile:
    """Draw the front view in millimetres (DXF R2010)."""
    document = new_dxf("R2010", setup=True)
    document.units = 4  # millimetres
    space = document.modelspace()
    space.add_lwpolyline([(0, 0), (cabinet.width, 0), (cabinet.width, cabinet.height), (0, cabinet.height)], close=True)
    for section in range(1, cabinet.sections):
        x = cabinet.width * section / cabinet.sections
        space.add_line((x, 0), (x, cabinet.height))
    out = io.StringIO()
    document.write(out)
    return MadeFile(name, document.encode(out.getvalue()), "image/vnd.dxf")


def estimate_xlsx(name: str, item: str, total: Decimal) -> MadeFile:
    """Write an estimate whose lines add up to `total` roubles (XLSX)."""
    out = io.BytesIO()
    book = xlsxwriter.Workbook(out, {"in_memory": True})
    sheet = book.add_worksheet("Смета")
    money = book.add_format({"num_format": "#,##0.00"})
    sheet.set_column(0, 0, 40)
    sheet.set_column(1, 1, 16)
    sheet.write_row(0, 0, ["Статья", "Сумма, ₽"])
    material = (total * Decimal("0.55")).quantize(Decimal("0.01"))
    work = (total * Decimal("0.35")).quantize(Decimal("0.01"))
    lines = [(f"Материалы: {item}", material), ("Работа", work), ("Доставка и сборка", total - material - work)]
    for row, (label, value) in enumerate(lines, start=1):
        sheet.write_string(row, 0, label)
        sheet.write_number(row, 1, float(value), money)
    sheet.write_string(len(lines) + 1, 0, "Всего")
    sheet.write_formula(len(lines) + 1, 1, f"=SUM(B2:B{len(lines) + 1})", money, float(total))
    book.close()
    return MadeFile(name, out.getvalue(), "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet")


def forged(name: str) -> MadeFile:
    """Return a program under an innocent name: what a careless or hostile person attaches."""
    return MadeFile(name, b"MZ\x90\x00\x03\x00\x00\x00" + b"This program cannot be run in DOS mode." + bytes(2000), "")
