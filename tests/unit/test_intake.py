"""Rule: what bookkeepers save is read exactly or refused by line and column; ambiguity is asked about."""

from __future__ import annotations

import pytest

from orders.intake import IntakeError, NewOrder, changes, read_order, read_table

HEAD = "key;customerName;customerContact;itemDescription;wishedBy;budget"
ROWS = (
    "2026/К-17;ООО «Ёлочка № 1»;+7 900 000-00-01;Шкаф-купе, 3 двери;25.12.2026;185000,50",
    '2026/К-18;"Чайка, ИП";8 (900) 000-00-02;"Стол ""Дуб"";\r\nстолешница 40 мм";11.01.2027;64 900,00',
)


def table(*rows: str, head: str = HEAD) -> str:
    return "\r\n".join((head, *rows)) + "\r\n"


def good(text: str, encoding: str = "utf-8") -> list[NewOrder]:
    found = read_table(text.encode(encoding))
    assert found.problems == ()
    return list(found.orders)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1251", "utf-16", "utf-16-le", "utf-16-be"])
def test_text_is_exact_in_every_encoding(encoding: str) -> None:
    """№, ё, guillemets, doubled quotes and a line break inside a cell survive."""
    first, second = good(table(*ROWS), encoding)
    assert (first.key, first.line, second.line) == ("2026/К-17", 2, 3)
    assert first.values == {
        "customerName": "ООО «Ёлочка № 1»",
        "customerContact": "+7 900 000-00-01",
        "itemDescription": "Шкаф-купе, 3 двери",
        "wishedBy": "2026-12-25",
        "budget": "185000.50",
    }
    assert second.values["customerName"] == "Чайка, ИП"
    assert second.values["itemDescription"] == 'Стол "Дуб";\nстолешница 40 мм'


def test_excel_leaves_a_mark_a_sep_line_and_empty_rows() -> None:
    """`sep=;` and rows of semicolons are no orders, and line numbers stay those of the file."""
    text = "sep=;\r\n" + table(ROWS[0], ";;;;;", ";;;;;", "S-3;;c;i;;")
    found = read_table(text.encode("utf-8-sig"))
    assert [o.line for o in found.orders] == [3]
    assert [str(p) for p in found.problems] == ["строка 6, столбец customerName: не указано: заказчик"]


@pytest.mark.parametrize(("mark", "sep"), [("\t", ""), (",", ""), ("|", "sep=|\n"), (";", '"sep=;"\n')])
def test_delimiters(mark: str, sep: str) -> None:
    """Semicolon, comma and tab are found by the header, any other is named by `sep=`."""
    (order,) = good(sep + mark.join(HEAD.split(";")) + "\n" + mark.join(["S-1", "A", "b", "c", "2026-12-25", "22.50"]))
    assert (order.values["wishedBy"], order.values["budget"]) == ("2026-12-25", "22.50")


def test_a_total_row_is_no_order() -> None:
    """«Итого» under the numbers, with or without a mark, is left out and told."""
    found = read_table(table(ROWS[0], "Итого;;;;;249900,50", ";Всего: 1;;;;").encode("cp1251"))
    assert ([o.key for o in found.orders], found.totals, found.problems) == (["2026/К-17"], (3, 4), ())


@pytest.mark.parametrize("sum_", ["1.250", "1,250"])
def test_ambiguous_sums_are_asked_about(sum_: str) -> None:
    """A thousand or a fraction: a person decides."""
    found = read_table(table(f"S-1;A;b;c;;{sum_}").encode())
    assert found.orders == ()
    (problem,) = found.problems
    assert problem.ask
    assert str(problem).startswith("строка 2, столбец budget: Сумма")


@pytest.mark.parametrize(
    ("row", "said"),
    [
        (";A;b;c;;", "строка 2, столбец key: Номер заказа пуст"),
        ("S-1;A;;c;;", "строка 2, столбец customerContact: не указано"),
        ("S-1;A;b;;;", "строка 2, столбец itemDescription: не указано"),
        ("S-1;A;b;c;12/25/2026;", "строка 2, столбец wishedBy: Дата «12/25/2026»"),
        ("S-1;A;b;c;;около 100000", "строка 2, столбец budget: Сумма «около 100000» не понята"),
        ("S-1;A\x00;b;c;;", "строка 2, столбец customerName: в тексте недопустимый знак U+0000"),
        ("S-1;" + "A" * 256 + ";b;c;;", "строка 2, столбец customerName: длиннее 255"),
        ("S-1;A;b;c;;;;лишнее", "строка 2: ячеек больше, чем столбцов: 8 вместо 6"),
        ('S-1;"A;b;c;;', "строка 2: кавычка открыта и не закрыта"),
        ('S-1;"A"B;b;c;;', "строка 2: кавычки внутри ячейки надо удваивать"),
        ("ОRD-2026-00001;A;b;c;;", "«О» кириллическая"),
    ],
)
def test_a_bad_row_is_named_by_line_and_column(row: str, said: str) -> None:
    """It is refused with its reason."""
    found = read_table(table(row).encode())
    assert found.orders == ()
    assert said in " | ".join(str(p) for p in found.problems)


def test_a_bad_row_holds_nobody_up() -> None:
    """The others are read, all problems of the row come at once."""
    found = read_table(table(ROWS[0], "S-2;;;c;1.1.26;x", 'S-3;"A"B;b;c;;', ROWS[1]).encode())
    assert [o.key for o in found.orders] == ["2026/К-17", "2026/К-18"]
    assert [(p.line, p.name) for p in found.problems] == [
        (3, "customerName"),
        (3, "customerContact"),
        (3, "wishedBy"),
        (3, "budget"),
        (4, None),
    ]


def test_a_comma_table_with_decimal_commas_says_what_to_do() -> None:
    """An unquoted decimal comma makes one cell too many: the row is refused, not cut."""
    found = read_table(b"key,customerName,customerContact,itemDescription,wishedBy,budget\nS-1,A,b,c,,185000,50\n")
    assert "в кавычки" in str(found.problems[0])


@pytest.mark.parametrize("other", ["S-1", "Ѕ-1"])
def test_one_number_names_one_order(other: str) -> None:
    """A number that stands twice, or prints like another one, is refused the second time."""
    found = read_table(table("S-1;A;b;c;;", f"{other};D;e;f;;").encode())
    assert [o.values["customerName"] for o in found.orders] == ["A"]
    assert (found.problems[0].line, found.problems[0].name) == (3, "key")


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "файл пуст"),
        (b"PK\x03\x04....", "книга Excel"),
        (b"\xd0\xcf\x11\xe0....", "книга Excel"),
        (table(*ROWS).replace("№", "N").replace("«", '"').replace("»", '"').encode("cp866"), "Кодировка"),
        (b"\xff\xfe\x00", "повреждён"),
        (b"a;b;c\n1;2;3", "столбец «a» неизвестен"),
        (HEAD.replace("budget", "вudget").encode(), "столбец «вudget» неизвестен"),
        (HEAD.replace("budget", "budgеt").encode(), "вероятно «budget»"),
        ((HEAD + ";key\n").encode(), "столбец key: столбец стоит дважды"),
        (b"key;customerName\n1;2", "в заголовке нет customerContact, itemDescription, wishedBy, budget"),
    ],
)
def test_what_is_no_table_says_so(data: bytes, said: str) -> None:
    """A workbook, another encoding, another header: one clear sentence, no order."""
    found = read_table(data)
    assert found.orders == ()
    assert said in " | ".join(str(p) for p in found.problems)


def test_the_files_column_is_taken_and_may_be_missing() -> None:
    """orderFile is a path beside the table; without it a request sheet is made from the row."""
    with_file, without = good(table(ROWS[0] + ";эскиз.pdf", ROWS[1] + ";", head=HEAD + ";orderFile"))
    assert (with_file.order_file, without.order_file) == ("эскиз.pdf", None)
    assert ("Желаемый срок", "11.01.2027") in without.sheet()
    assert ("Бюджет, ₽", "64\u202f900\u202f₽") in without.sheet()


def test_a_changed_row_is_told_field_by_field() -> None:
    """The same row is no change and has the same fingerprint; another sum is one change and another fingerprint."""
    (order,) = good(table(ROWS[0]))
    (again,) = good(table(ROWS[0].replace("185000,50", "185 000,50 ₽")))
    (other,) = good(table(ROWS[0].replace("185000,50", "190000")))
    assert order.fingerprint == again.fingerprint != other.fingerprint
    assert changes(again, order.values) == ()
    (change,) = changes(other, order.values)
    assert str(change) == "Бюджет, ₽: в заказе «185\u202f000,50\u202f₽», в файле «190\u202f000\u202f₽»"
    assert changes(order, {**order.values, "budget": None})[0].known == ""


JSON = """{"key": "S-1", "initiator": "sokolova", "customerName": "Кафе", "customerContact": "c",
 "itemDescription": "Стойка", "wishedBy": "2026-12-25", "budget": %s, "orderFile": "файл.pdf"}"""


@pytest.mark.parametrize(
    ("budget", "stored"), [("128400", "128400.00"), ("128400.5", "128400.50"), ('"128 400 ₽"', "128400.00")]
)
def test_one_order_from_json(budget: str, stored: str) -> None:
    """Numbers are what they say, texts are read like a table's."""
    order = read_order(JSON % budget)
    assert (order.key, order.initiator, order.order_file, order.values["budget"]) == (
        "S-1",
        "sokolova",
        "файл.pdf",
        stored,
    )


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{", "это не JSON"),
        ("[]", "нужен один заказ"),
        (JSON % "true", "поле «budget»: нужен текст или число"),
        (JSON % "1.2345", "больше двух знаков"),
        (JSON % '"1.250"', "двояко"),
        (JSON.replace('"key"', '"number"') % "1", "поле «number» неизвестно"),
        (JSON.replace("sokolova", "sоkolova") % "1", "вероятно «sokolova»"),
        (JSON.replace("sokolova", "") % "1", "кто заводит заказ"),
    ],
)
def test_a_bad_json_says_what_is_wrong(text: str, said: str) -> None:
    """Each problem names its field."""
    with pytest.raises(IntakeError) as caught:
        read_order(text)
    assert said in str(caught.value)
