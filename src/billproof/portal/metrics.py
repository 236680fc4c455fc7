"""Figures for Prometheus. Labels are routes and outcomes: never a path, an address or an account."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest


class Metrics:
    """One portal's figures, in a registry of its own."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.requests = Counter(
            "billproof_portal_requests",
            "Requests by route and status.",
            ["route", "status"],
            registry=self.registry,
        )
        self.seconds = Histogram(
            "billproof_portal_seconds", "How long requests took.", ["route"], registry=self.registry
        )
        self.relayed = Counter(
            "billproof_portal_relayed", "JSON-RPC calls.", ["method", "outcome"], registry=self.registry
        )
        self.invoices = Counter(
            "billproof_portal_invoices", "Invoice downloads.", ["outcome"], registry=self.registry
        )

    def text(self) -> bytes:
        return generate_latest(self.registry)
