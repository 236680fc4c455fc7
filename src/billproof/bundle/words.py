"""The words of an invoice in the languages that it is printed in; money and dates are Babel's business."""

from __future__ import annotations

from dataclasses import dataclass, fields

from billproof.records import Service

_SERVICES = (
    Service.VOICE_ORIGINATED,
    Service.VOICE_TERMINATED,
    Service.VOICE_FORWARDED,
    Service.MESSAGE_SENT,
    Service.MESSAGE_RECEIVED,
    Service.DATA,
    Service.MMS,
    Service.CONTENT,
    Service.RECURRING,
    Service.ONE_OFF,
    Service.DISCOUNT,
    Service.TAX,
    Service.CREDIT,
    Service.ROUNDING,
)


@dataclass(frozen=True)
class Words:
    """One language. ``services`` are the names of ``_SERVICES``, in that order."""

    invoice: str
    account: str
    period: str
    batch: str
    summary: str
    count: str
    net: str
    taxes: str
    total: str
    lines: str
    date: str
    time: str
    service: str
    number: str
    used: str
    charged: str
    rate: str
    amount: str
    page: str
    minutes: str
    check: str
    services: tuple[str, ...]
    other: str

    def of(self, service: int) -> str:
        """The name of a service; of one that is unknown, its number."""
        found = {int(key): name for key, name in zip(_SERVICES, self.services, strict=True)}
        return found.get(service, f"{self.other} {service}")


def _language(text: str) -> Words:
    parts = [part.strip() for part in text.strip().splitlines()]
    named = dict(zip([field.name for field in fields(Words)], parts, strict=True))
    return Words(**{**named, "services": tuple(named["services"].split("; "))})  # type: ignore[arg-type]


_LANGUAGES = {
    "en": _language("""Invoice
        Account
        Billing period
        Batch
        Summary
        Lines
        Net
        Taxes
        Total
        Itemised lines
        Date
        Time
        Service
        Number
        Used
        Charged
        Rate
        Amount
        Page {page} of {pages}
        min
        This file carries its own proof (bundle.json). Check it: billproof verify, or by the code.
        Call to; Call from; Forwarded call; Message to; Message from; Data; MMS; Content; Monthly fee; Fee; Discount; Tax; Credit; Rounding
        Service"""),  # noqa: E501
    "de": _language("""Rechnung
        Kundenkonto
        Abrechnungszeitraum
        Stapel
        Übersicht
        Posten
        Netto
        Steuern
        Gesamtbetrag
        Einzelverbindungsnachweis
        Datum
        Uhrzeit
        Leistung
        Rufnummer
        Genutzt
        Berechnet
        Tarif
        Betrag
        Seite {page} von {pages}
        Min.
        Diese Datei enthält ihren Beweis (bundle.json). Prüfen: billproof verify oder über den Code.
        Anruf an; Anruf von; Weitergeleiteter Anruf; Nachricht an; Nachricht von; Daten; MMS; Inhalte; Grundgebühr; Gebühr; Rabatt; Steuer; Gutschrift; Rundung
        Leistung"""),  # noqa: E501
    "fr": _language("""Facture
        Compte
        Période de facturation
        Lot
        Récapitulatif
        Lignes
        Total hors taxes
        Taxes
        Total
        Détail des lignes
        Date
        Heure
        Service
        Numéro
        Utilisé
        Facturé
        Tarif
        Montant
        Page {page} sur {pages}
        min
        Ce fichier contient sa preuve (bundle.json). Vérifier : billproof verify, ou par le code.
        Appel vers; Appel de; Appel renvoyé; Message à; Message de; Données; MMS; Contenu; Abonnement; Frais; Remise; Taxe; Avoir; Arrondi
        Service"""),  # noqa: E501
    "es": _language("""Factura
        Cuenta
        Periodo de facturación
        Lote
        Resumen
        Líneas
        Neto
        Impuestos
        Total
        Detalle de líneas
        Fecha
        Hora
        Servicio
        Número
        Usado
        Cobrado
        Tarifa
        Importe
        Página {page} de {pages}
        min
        Este archivo lleva su prueba (bundle.json). Compruébelo: billproof verify, o con el código.
        Llamada a; Llamada de; Llamada desviada; Mensaje a; Mensaje de; Datos; MMS; Contenido; Cuota mensual; Cargo; Descuento; Impuesto; Abono; Redondeo
        Servicio"""),  # noqa: E501
    "el": _language("""Τιμολόγιο
        Λογαριασμός
        Περίοδος χρέωσης
        Παρτίδα
        Σύνοψη
        Γραμμές
        Καθαρό ποσό
        Φόροι
        Σύνολο
        Αναλυτικές γραμμές
        Ημερομηνία
        Ώρα
        Υπηρεσία
        Αριθμός
        Χρήση
        Χρέωση
        Τιμή
        Ποσό
        Σελίδα {page} από {pages}
        λεπτά
        Το αρχείο περιέχει την απόδειξή του (bundle.json). Έλεγχος: billproof verify ή με τον κωδικό.
        Κλήση προς; Κλήση από; Προωθημένη κλήση; Μήνυμα προς; Μήνυμα από; Δεδομένα; MMS; Περιεχόμενο; Πάγιο; Τέλος; Έκπτωση; Φόρος; Πίστωση; Στρογγυλοποίηση
        Υπηρεσία"""),  # noqa: E501
    "ru": _language("""Счёт
        Лицевой счёт
        Расчётный период
        Пакет
        Сводка
        Строк
        Без налогов
        Налоги
        Итого
        Детализация
        Дата
        Время
        Услуга
        Номер
        Использовано
        Начислено
        Тариф
        Сумма
        Страница {page} из {pages}
        мин
        Файл содержит своё доказательство (bundle.json). Проверка: billproof verify или по коду.
        Звонок на; Звонок от; Переадресация; Сообщение на; Сообщение от; Данные; MMS; Контент; Абонплата; Плата; Скидка; Налог; Возврат; Округление
        Услуга"""),  # noqa: E501
}


def words(language: str) -> Words:
    """The words of a language (ISO 639-1), English where there are none."""
    return _LANGUAGES.get(language, _LANGUAGES["en"])
