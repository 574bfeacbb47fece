"""Compares exported files with a CSV or NDJSON export of the same rows, as other programs read them.

compare.py parquet FILE.parquet FILE.ndjson    pyarrow and duckdb
compare.py xlsx FILE.xlsx FILE.csv             openpyxl; timestamps are in UTC
compare.py formulas FILE.xlsx                  prints the number of cells, of which none may be a formula

Exits with a message about the first difference.
"""

import csv
import datetime
import json
import sys

UTC = datetime.timezone.utc


def fail(message):
    sys.exit(message)


def timestamp(text):
    return datetime.datetime.fromisoformat(text.replace("Z", "+00:00"))


def is_same(value, expected):
    """Whether a typed value is what JSON says."""
    if isinstance(value, datetime.datetime):
        return value == timestamp(expected)
    is_same_type = type(value) is type(expected) or isinstance(value, float) and not isinstance(expected, bool)
    if is_same_type and value == expected:
        return True
    # A column of JSON.
    try:
        return isinstance(value, str) and json.loads(value) == expected
    except ValueError:
        return False


def compare_rows(program, rows, expected):
    if len(rows) != len(expected):
        fail(f"{program}: {len(rows)} rows instead of {len(expected)}")
    for number, (row, wanted) in enumerate(zip(rows, expected)):
        if list(row) != list(wanted):
            fail(f"{program}: the columns are {list(row)} instead of {list(wanted)}")
        for key, value in row.items():
            if not is_same(value, wanted[key]):
                fail(f"{program}: row {number}, {key}: {value!r} instead of {wanted[key]!r}")


def compare_parquet(path, ndjson):
    import duckdb
    import pyarrow.parquet

    with open(ndjson, encoding="utf-8") as lines:
        expected = [json.loads(line) for line in lines]
    table = pyarrow.parquet.read_table(path)
    compare_rows("pyarrow", table.to_pylist(), expected)
    duckdb.sql("SET TimeZone = 'UTC'")
    result = duckdb.sql(f"SELECT * FROM read_parquet('{path}')")
    rows = [dict(zip(result.columns, row)) for row in result.fetchall()]
    compare_rows("duckdb", rows, expected)
    file = pyarrow.parquet.ParquetFile(path)
    schema = {field.name: str(field.type) for field in table.schema}
    codecs = {file.metadata.row_group(group).column(0).compression for group in range(file.num_row_groups)}
    print(json.dumps({"schema": schema, "codecs": sorted(codecs), "duckdb": [str(kind) for kind in result.types]}))


def is_same_cell(value, text):
    """Whether a cell of a workbook has the value that the CSV file has."""
    from openpyxl.utils.escape import unescape

    if value is None:
        return text == ""
    if isinstance(value, bool):
        return text == str(value).lower()
    if isinstance(value, (int, float)):
        return float(text) == value
    if isinstance(value, datetime.datetime):
        difference = value.replace(tzinfo=UTC) - timestamp(text)
        # openpyxl rounds to milliseconds.
        return abs(difference) <= datetime.timedelta(milliseconds=1)
    value = unescape(value)
    if text.startswith(("[", "{")):
        return json.loads(value) == json.loads(text)
    # LibreOffice stores line breaks as LF.
    return value in (text, text.replace("\r\n", "\n"))


def compare_xlsx(path, csv_path):
    import openpyxl

    with open(csv_path, encoding="utf-8", newline="") as file:
        expected = list(csv.reader(file))
    workbook = openpyxl.load_workbook(path)
    sheet = workbook.worksheets[0]
    rows = list(sheet.iter_rows())
    if len(rows) != len(expected):
        fail(f"{len(rows)} rows instead of {len(expected)}")
    kinds = set()
    for row, wanted in zip(rows, expected):
        for cell, text in zip(row, wanted, strict=True):
            kinds.add(cell.data_type)
            if cell.data_type == "f" or not is_same_cell(cell.value, text):
                fail(f"{cell.coordinate}: {cell.value!r} instead of {text!r}")
    facts = {"title": sheet.title, "frozen": sheet.freeze_panes, "filter": sheet.auto_filter.ref, "kinds": sorted(kinds)}
    print(json.dumps(facts))


def count_cells(path):
    import openpyxl

    cells = 0
    for sheet in openpyxl.load_workbook(path):
        for row in sheet.iter_rows():
            for cell in row:
                if cell.data_type == "f":
                    fail(f"{cell.coordinate} is a formula: {cell.value!r}")
                cells += cell.value is not None
    print(cells)


commands = {"parquet": compare_parquet, "xlsx": compare_xlsx, "formulas": count_cells}
commands[sys.argv[1]](*sys.argv[2:])
