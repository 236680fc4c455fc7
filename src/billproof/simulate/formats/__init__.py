"""File formats that the simulator can write, by the names that intake reads them under."""

from __future__ import annotations

from billproof.simulate.formats.base import FileFormat, Issuer
from billproof.simulate.formats.ipdr import IpdrCsv, IpdrXml
from billproof.simulate.formats.itemised import ItemisedBill
from billproof.simulate.formats.rated_csv import RatedCsv
from billproof.simulate.formats.switches import Asterisk, FreeSwitch

FORMATS: dict[str, type[FileFormat]] = {
    kind.name: kind for kind in (RatedCsv, Asterisk, FreeSwitch, IpdrCsv, IpdrXml, ItemisedBill)
}

__all__ = ["FORMATS", "FileFormat", "Issuer"]
