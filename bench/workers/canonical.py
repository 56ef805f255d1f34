"""The same text for equal values, whatever the driver and its language; canonical.rb writes the same."""

import datetime
import decimal
import uuid


def text(value):
    if value is None:
        return "nil"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, float):
        return "%.17g" % value
    if isinstance(value, decimal.Decimal):
        return format(value.normalize(), "f")
    if isinstance(value, datetime.datetime):
        return value.astimezone(datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    if isinstance(value, datetime.date):
        return value.isoformat()
    return structure(value)


def structure(value):
    if isinstance(value, (bytes, memoryview)):
        return "x" + bytes(value).hex()
    if isinstance(value, list):
        return "[" + ",".join(map(text, value)) + "]"
    if isinstance(value, dict):
        return "{" + ",".join(text(item) for pair in sorted(value.items()) for item in pair) + "}"
    return string(str(value) if isinstance(value, uuid.UUID) else value)


def string(value):
    """With the length in front no quoting is needed."""
    return "%d:%s" % (len(value.encode()), value)
