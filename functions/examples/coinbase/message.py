"""What a message is, and what becomes of it: the file to change.

Matches of Coinbase's WebSocket feed.
"""

import json
import re
from datetime import datetime, timedelta, timezone

from wit_world.exports.parse import ColumnInfo, ColumnType

NAME = "parse-coinbase-py"

# The kind of its rows; windows name those that they take.
KIND = "trade"

# The columns that it can make.
COLUMNS = [
    ColumnInfo("symbol", ColumnType.TEXT, "what was traded"),
    ColumnInfo("event_time", ColumnType.TIMESTAMP_US, "when it was traded, UTC"),
    ColumnInfo("price", ColumnType.DECIMAL, "price of one, in the quote currency"),
    ColumnInfo("quantity", ColumnType.DECIMAL, "how much was traded"),
    ColumnInfo("id", ColumnType.INT64, "trade id, counted up by symbol"),
]

MOST_BRACKETS = 100

EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)
TIME = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d+))?Z", re.ASCII)
DECIMAL = re.compile(r"(-?)(\d+)(?:\.(\d+))?", re.ASCII)


class Ignored(Exception):
    """A record that is known and not of interest; its text is the reason."""


class Rejected(Exception):
    """A record that is broken; its text is the reason."""


def read(value: bytes) -> dict:
    """The values of a message, by column. It depends on the message alone."""
    # Python's reader goes down a level a bracket, and the stack of a component is small.
    if value.count(b"{") + value.count(b"[") > MOST_BRACKETS:
        raise Rejected("too many brackets")
    try:
        message = json.loads(value.decode())
    except (ValueError, RecursionError):
        raise Rejected("not JSON")
    if not isinstance(message, dict):
        raise Rejected("not a JSON object")
    kind = message.get("type")
    if kind in ("heartbeat", "subscriptions"):
        raise Ignored(kind)
    if kind not in ("match", "last_match"):
        raise Rejected("not a match")
    trade_id = message.get("trade_id")
    is_id = type(trade_id) is int and -(2**63) <= trade_id < 2**63
    return {
        "symbol": text(message, "product_id"),
        "event_time": time_us(message, "time"),
        "price": decimal(message, "price"),
        "quantity": decimal(message, "size"),
        "id": trade_id if is_id else None,
    }


def text(message: dict, name: str) -> str:
    value = message.get(name)
    if not isinstance(value, str):
        raise Rejected(f"`{name}` is no text")
    # Lone surrogates cannot be written.
    return value.encode(errors="replace").decode()


def time_us(message: dict, name: str) -> int:
    """Microseconds since 1970-01-01 UTC."""
    parts = TIME.fullmatch(text(message, name))
    try:
        # Not `strptime`: it imports a module when it is first called, and by then there are no files.
        moment = datetime.fromisoformat(parts[1]).replace(tzinfo=timezone.utc)
    except (TypeError, ValueError):
        raise Rejected(f"`{name}` is no time")
    return (moment - EPOCH) // timedelta(microseconds=1) + int((parts[2] or "").ljust(6, "0")[:6])


def decimal(message: dict, name: str) -> tuple[int, int]:
    """A decimal as it was written, (mantissa, places): the number is mantissa / 10**places."""
    value = message.get(name)
    written = repr(value) if type(value) in (int, float) else value
    parts = DECIMAL.fullmatch(written) if isinstance(written, str) else None
    if parts is None or len(parts[2]) + len(parts[3] or "") > 38:
        raise Rejected(f"`{name}` is no decimal")
    places = parts[3] or ""
    mantissa = int(parts[2] + places)
    return (-mantissa if parts[1] else mantissa), len(places)
