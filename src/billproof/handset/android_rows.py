"""What one row of an Android backup means: ``CallLog.Calls``, ``Telephony.Sms`` and ``Telephony.Mms``, by the
names that SMS Backup & Restore gives their columns.
"""

from collections.abc import Iterable
from functools import lru_cache
from itertools import islice

from billproof.handset import values
from billproof.handset.problems import RowError
from billproof.handset.rows import APP, CALL, IN, MESSAGE, MMS, NO, OUT, UNKNOWN, YES, Row

WITHHELD = ("2", "3", "4")
"""CallLog.Calls.NUMBER_PRESENTATION: restricted, unknown, payphone."""
MAX_RECIPIENTS = 100
DRAFT = "3"
_NOBODY = "insert-address-token"
_FROM = "137"  # the sender among a message's addresses
# Telephony.Sms.TYPE and Telephony.Mms.MESSAGE_BOX → direction, answered; None: a draft, which went nowhere.
_BOXES: dict[str, tuple[int, int] | None] = {
    "1": (IN, YES),
    "2": (OUT, YES),
    "3": None,
    "4": (OUT, UNKNOWN),
    "5": (OUT, NO),
    "6": (OUT, UNKNOWN),
}


def call(attributes: dict[str, str]) -> Row:
    """One row of Android's call log, by the names that SMS Backup & Restore gives its columns."""
    code = attributes.get("type", "")
    if code not in values.CALL_TYPES:
        raise RowError("type", "is not a type of call from 1 to 7")
    at = values.milliseconds("date", attributes.get("date"))
    text = attributes.get("duration", "")
    seconds = values.duration("duration", values.whole("duration", text)) if text else -1
    return call_row(
        code,
        at,
        seconds,
        attributes.get("number", ""),
        attributes.get("presentation", ""),
        attributes.get("subscription_component_name", ""),
        attributes.get("subscription_id", ""),
    )


def call_row(
    code: str, at: int, seconds: int, number: str, presentation: str, component: str, card: str
) -> Row:
    """A call of a type from 1 to 7."""
    direction, answered = values.CALL_TYPES[code]
    if answered is None:
        answered = values.answered(seconds)
    if code == values.ELSEWHERE and seconds == 0:
        seconds = -1
    number = values.clean_number(number)
    if presentation in WITHHELD:
        number = ""
    kind = APP if through_app(component) else CALL
    return kind, direction, answered, number, at, seconds, 0, sim(card)


@lru_cache(maxsize=1024)
def through_app(component: str) -> bool:
    """Whether an app's connection service made the call, not the phone's."""
    return "/" in component and "telephony" not in component.lower()


def sim(text: str) -> str:
    return "" if text in ("null", "-1") else text[: values.MAX_NUMBER]


def _box(field: str, attributes: dict[str, str]) -> tuple[int, int] | None:
    code = attributes.get(field, "")
    if code not in _BOXES:
        raise RowError(field, "is not a type of message from 1 to 6")
    return _BOXES[code]


def message(attributes: dict[str, str]) -> Row | None:
    if _box("type", attributes) is None:
        return None
    at = values.milliseconds("date", attributes.get("date"))
    texts = (attributes.get(name, "") for name in ("address", "body", "sub_id"))
    return message_row(attributes["type"], at, *texts)


def message_row(code: str, at: int, number: str, body: str, card: str) -> Row:
    """A message of a type from 1 to 6 that is no draft."""
    direction, answered = _BOXES[code] or (OUT, UNKNOWN)
    return MESSAGE, direction, answered, values.clean_number(number), at, 0, values.segments(body), sim(card)


def senders(addresses: Iterable[dict[str, str]]) -> list[str]:
    """Of a message with pictures, by its ``addr`` tags."""
    found = (
        address["address"]
        for address in addresses
        if address.get("type") == _FROM and address.get("address", _NOBODY) != _NOBODY
    )
    return list(islice(found, MAX_RECIPIENTS))


def mms(attributes: dict[str, str], senders: list[str]) -> list[Row]:
    """One entry, or one for each recipient of what went out to several: operators bill each."""
    box = _box("msg_box", attributes)
    if box is None:
        return []
    at = values.milliseconds("date", attributes.get("date"))
    kind = (
        APP if attributes.get("tr_id", "").startswith("proto:") else MMS
    )  # RCS, which the app keeps among MMS
    numbers = attributes.get("address", "").split("~")
    if len(numbers) > MAX_RECIPIENTS:
        raise RowError("address", f"more than {MAX_RECIPIENTS} recipients")
    if box[0] == IN:
        numbers = (senders or numbers)[:1]
    card = sim(attributes.get("sub_id", ""))
    return [(kind, *box, values.clean_number(number), at, 0, 0, card) for number in numbers]
