"""Between the message (`message.py`) and the contract in `wit/`. It need not be changed."""

from componentize_py_types import Err
from wit_world.exports import Parse as Contract
from wit_world.exports.parse import ColumnType, Description, Marked, Options, Parsed, WantedColumn
from wit_world.imports.types import (
    Batch,
    Column,
    ColumnData,
    ColumnData_Decimal,
    ColumnData_Int64,
    ColumnData_Text,
    ColumnData_TimestampUs,
    Decimals,
    Table,
    Text,
)

from message import COLUMNS, KIND, NAME, Ignored, Rejected, read


class Parse(Contract):
    def describe(self) -> Description:
        return Description(NAME, "0.1.0", [KIND], COLUMNS, False, False)

    def parse(self, batch: Batch, options: Options) -> Parsed:
        check(options)
        rows, records = [], []
        ignored, rejected = [], []
        rounded = 0
        nulls = set(batch.values.nulls)
        start = 0
        for record, end in enumerate(batch.values.ends):
            value, start = batch.values.bytes[start:end], end
            try:
                if record in nulls:
                    raise Ignored("tombstone")
                row, cut = scaled(read(value), options.columns)
            except Ignored as reason:
                ignored.append((record, str(reason)))
            except Rejected as reason:
                rejected.append((record, str(reason)))
            else:
                rows.append(row)
                records.append(record)
                rounded += cut
        return Parsed(
            Table(len(rows), [column(wanted, rows) for wanted in options.columns]),
            records,
            dictionary([KIND] * len(rows)),
            marked(ignored),
            marked(rejected),
            rounded,
        )


def check(options: Options) -> None:
    """A mistake in the options is an error; bad data never is."""
    names = [info.name for info in COLUMNS]
    for what, given, known in [
        ("kind", options.kinds, [KIND]),
        ("column", [wanted.name for wanted in options.columns], names),
        ("setting", [name for name, _ in options.settings], []),
    ]:
        for name in given:
            if name not in known:
                raise Err(f"there is no {what} `{name}`")


def scaled(row: dict, columns: list[WantedColumn]) -> tuple[dict, int]:
    """The row with the wanted decimals as mantissas, rounded half to even; and how many were rounded."""
    rounded = 0
    for wanted in columns:
        if not isinstance(row[wanted.name], tuple):
            continue
        mantissa, places = row[wanted.name]
        unit = 10 ** max(places - wanted.scale, 0)
        quotient, rest = divmod(abs(mantissa) * 10 ** max(wanted.scale - places, 0), unit)
        if 2 * rest > unit or (2 * rest == unit and quotient % 2):
            quotient += 1
        if quotient >= 10**38 or (quotient == 0 and mantissa != 0):
            raise Rejected(f"`{wanted.name}` does not fit {wanted.scale} places")
        rounded += rest != 0
        row[wanted.name] = -quotient if mantissa < 0 else quotient
    return row, rounded


def column(wanted: WantedColumn, rows: list[dict]) -> Column:
    info = next(info for info in COLUMNS if info.name == wanted.name)
    values = [row[wanted.name] for row in rows]
    valid = [value is not None for value in values]
    return Column(wanted.name, data(info.type, wanted.scale, values), None if all(valid) else bits(valid))


def data(column_type: ColumnType, scale: int, values: list) -> ColumnData:
    if column_type == ColumnType.TEXT:
        return ColumnData_Text(dictionary(values))
    values = [value or 0 for value in values]
    if column_type == ColumnType.INT64:
        return ColumnData_Int64(values)
    if column_type == ColumnType.TIMESTAMP_US:
        return ColumnData_TimestampUs(values)
    low = [(value + 2**63) % 2**64 - 2**63 for value in values]
    high = None if low == values else [value >> 64 for value in values]
    return ColumnData_Decimal(Decimals(scale, low, high))


def bits(valid: list[bool]) -> bytes:
    """A bit a row, least significant bit first."""
    out = bytearray(-(-len(valid) // 8))
    for row, is_valid in enumerate(valid):
        out[row // 8] |= is_valid << (row % 8)
    return bytes(out)


def dictionary(texts: list[str]) -> Text:
    codes: dict[str, int] = {}
    entries = [codes.setdefault(text, len(codes)) for text in texts]
    data, ends = bytearray(), []
    for text in codes:
        data += text.encode()
        ends.append(len(data))
    return Text(bytes(data), ends, entries)


def marked(marks: list[tuple[int, str]]) -> Marked:
    return Marked([record for record, _ in marks], dictionary([reason for _, reason in marks]))
