"""Sizes of transactions counted as DynamoDB counts them: by the items, not by the request's text, which base64 makes a third larger."""

from ministack.core.responses import error_response_json
from ministack.services import dynamodb

_LARGEST = 4 * 1024 * 1024


def install() -> None:
    write = dynamodb._transact_write_items
    # The request itself may not exceed what the service reads at all.
    dynamodb._DDB_TXN_MAX_BYTES = 16 * 1024 * 1024

    def checked(data):
        parts = [part for item in data.get('TransactItems') or [] if isinstance(item, dict) for part in item.values() if isinstance(part, dict)]
        if sum(map(_size, parts)) > _LARGEST:
            return error_response_json('ValidationException', 'Member must have length less than or equal to 4 MB: the items of the transaction', 400)
        return write(data)

    dynamodb._transact_write_items = checked


def _size(part: dict) -> int:
    """Bytes of what one part writes; of an update its key and its values, since the rest is there already."""
    fields = part.get('Item') or {**(part.get('Key') or {}), **(part.get('ExpressionAttributeValues') or {})}
    try:
        return dynamodb._item_size_bytes(fields)
    except (AttributeError, KeyError, TypeError, ValueError):
        # Malformed values get the service's own message.
        return 0
