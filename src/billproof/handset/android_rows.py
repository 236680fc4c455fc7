"""What one row of an Android backup means: ``CallLog.Calls``, ``Telephony.Sms`` and ``Telephony.Mms``, by the
names that SMS Backup & Restore gives their columns.
"""

from billproof.handset import values
from billproof.handset.problems import RowError
from billproof.handset.rows import APP, CALL, IN, MESSAGE, MMS, NO, OUT, UNKNOWN, YES, Row

WITHHELD = ("2", "3", "4")
"""CallLog.Calls.NUMBER_PRESENTATION: restricted, unknown, payphone."""
MAX_RECIPIENTS = 100
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
    direction, answered = values.CALL_TYPES[code]
    at = values.milliseconds("date", attributes.get("date"))
    text = attributes.get("duration", "")
    seconds = values.duration("duration", values.whole("duration", text)) if text else -1
    if answered is None:
        answered = values.answered(seconds)
    if code == values.ELSEWHERE and seconds == 0:
        seconds = -1
    number = values.clean_number(attributes.get("number", ""))
    if attributes.get("presentation") in WITHHELD:
        number = ""
    kind = APP if through_app(attributes.get("subscription_component_name", "")) else CALL
    return kind, direction, answered, number, at, seconds, 0, sim(attributes.get("subscription_id", ""))


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
    box = _box("type", attributes)
    if box is None:
        return None
    at = values.milliseconds("date", attributes.get("date"))
    number = values.clean_number(attributes.get("address", ""))
    parts = values.segments(attributes.get("body", ""))
    return MESSAGE, *box, number, at, 0, parts, sim(attributes.get("sub_id", ""))


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
