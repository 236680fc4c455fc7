"""``/invoices/{token}``: an invoice for whoever has its link: a PDF with the bundle in it, or the bundle."""

from __future__ import annotations

from dataclasses import dataclass

from billproof.bundle import cut
from billproof.bundle import documents as doc
from billproof.bundle.pdf import Look, Printer
from billproof.portal.links import Links
from billproof.portal.settings import Settings
from billproof.secret_store import SecretStore
from billproof.store import StoredBatch


@dataclass(frozen=True)
class Invoice:
    """A file to hand out; its name says the period and nothing of the account."""

    content: bytes
    media: str
    name: str


def invoice(settings: Settings, links: Links, token: str, form: str) -> Invoice | None:
    """What a token opens, as ``pdf`` or ``json``; None when it opens nothing.

    Raises :class:`billproof.errors.InputError` when the batch or the account's key is gone.
    """
    link = links.find(token)
    if link is None or link.operator not in settings.published():
        return None
    stored = StoredBatch.open(settings.store / link.place)
    vault = SecretStore(settings.secrets, link.operator)
    bundle = next(found for _, found in cut.bundles(stored, vault, [link.account]))
    name = f"bill-{link.period}-{link.region}-{link.sequence}"
    content = doc.encode(bundle)
    if form == "json":
        return Invoice(content, "application/json", f"{name}.json")
    look = Look(settings.locale, settings.names.get(link.operator, ""), settings.url)
    return Invoice(Printer(look).invoice(content, bundle), "application/pdf", f"{name}.pdf")
