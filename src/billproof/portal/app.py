"""The portal's routes."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Annotated, Any, Literal

from fastapi import Depends, FastAPI, HTTPException, Path, Query, Request
from fastapi.responses import FileResponse, HTMLResponse, JSONResponse, Response
from starlette.middleware import Middleware

from billproof import __version__
from billproof.portal import pages
from billproof.portal.http import Envelope, client_of
from billproof.portal.invoices import invoice
from billproof.portal.limits import Buckets
from billproof.portal.links import Links
from billproof.portal.metrics import Metrics
from billproof.portal.public import Batch, Head, Operator, Period, Public, healthy
from billproof.portal.refusals import Limited, told_in_words
from billproof.portal.relay import PREFLIGHT, Relay
from billproof.portal.settings import Settings

_HEALTH_SECONDS = 2.0
_PUBLIC = {"Access-Control-Allow-Origin": "*", "Cross-Origin-Resource-Policy": "cross-origin"}

_Number = Annotated[int, Path(ge=0, lt=1 << 63)]
_OperatorQuery = Annotated[int, Query(ge=1, lt=1 << 63)]
_PeriodQuery = Annotated[int, Query(ge=200001, le=999912)]
_Hash = Annotated[str, Path(pattern="^0x[0-9a-f]{64}$")]
_Token = Annotated[str, Path(min_length=43, max_length=43, pattern="^[A-Za-z0-9_-]+$")]


def create_app(settings: Settings) -> FastAPI:
    """The portal as an ASGI application. It closes the endpoint when it stops."""
    metrics = Metrics()
    app = FastAPI(
        title="Billproof portal",
        version=__version__,
        description="Public data of an operator's batches, and a read-only relay to its node.",
        docs_url=None,  # they load scripts from elsewhere
        redoc_url=None,
        redirect_slashes=False,  # to an address that the request names
        lifespan=_lifespan(settings),
        middleware=[Middleware(Envelope, metrics=metrics)],
    )
    buckets = Buckets(settings.limits.rate, settings.limits.burst)
    told_in_words(app)
    _pages(app, settings, buckets)
    _relay(app, settings, buckets, metrics)
    _invoices(app, settings, buckets, metrics)
    _operations(app, settings, metrics)
    return app


def _lifespan(settings: Settings) -> Callable[[FastAPI], Any]:
    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        yield
        close = getattr(settings.endpoint, "close", None)
        if close is not None:
            close()

    return lifespan


def _asking(buckets: Buckets, cost: int) -> Any:
    def ask(request: Request) -> None:
        wait = buckets.take(client_of(request), cost)
        if wait:
            raise Limited(wait)

    return Depends(ask)


def _pages(app: FastAPI, settings: Settings, buckets: Buckets) -> None:
    public, verifier, asking = Public(settings), pages.verifier(settings.page), _asking(buckets, 1)

    @app.api_route("/", methods=["GET", "HEAD"], include_in_schema=False)
    def page() -> Response:
        if verifier is None:
            raise HTTPException(503, "this package was built without the verifier page")
        policy = {"Content-Security-Policy": verifier.policy, "Cache-Control": "no-cache"}
        return HTMLResponse(verifier.html, headers=policy)

    @app.get("/ledger", include_in_schema=False, dependencies=[asking])
    def ledger() -> Response:
        shown = [
            (found, [(p, public.batches(number, int(p.period))) for p in public.periods(number)])
            for found in public.operators()
            for number in [int(found.operatorId)]
        ]
        drawn = pages.ledger_page(shown)
        return HTMLResponse(drawn.html, headers={"Content-Security-Policy": drawn.policy})

    @app.get("/.well-known/billproof.json", include_in_schema=False)
    def binding() -> Response:
        deployment = settings.deployment
        triples = [
            {"chainId": str(deployment.chain_id), "ledger": deployment.ledger, "operatorId": str(number)}
            for number in settings.published()
        ]
        return JSONResponse({"schema": "billproof/domain-binding/1", "operators": triples}, headers=_PUBLIC)

    _api(app, public, asking)


def _api(app: FastAPI, public: Public, asking: Any) -> None:
    def opened(response: Response) -> None:
        response.headers.update(_PUBLIC)

    options: dict[str, Any] = {"dependencies": [asking, Depends(opened)], "tags": ["public"]}

    @app.get("/api/v1/operators", **options)
    def operators() -> list[Operator]:
        """The operators that this portal speaks for, as the ledger has them."""
        return public.operators()

    @app.get("/api/v1/periods", **options)
    def periods(operator: _OperatorQuery) -> list[Period]:
        """An operator's billing periods, newest first."""
        return public.periods(_known(public, operator))

    @app.get("/api/v1/batches", **options)
    def batches(operator: _OperatorQuery, period: _PeriodQuery) -> list[Batch]:
        """The batches of a period: roots, counts, and where they are anchored."""
        return public.batches(_known(public, operator), period)

    @app.get("/api/v1/heads", **options)
    def heads() -> list[Head]:
        """Each operator's head: compare it with what others were shown."""
        return public.heads()

    @app.get("/api/v1/seals", **options)
    def seals() -> list[Period]:
        """The periods that are closed."""
        return public.seals()

    @app.get(
        "/api/v1/manifests/{operator}/{period}/{region}/{sequence}/{name}",
        response_class=FileResponse,
        **options,
    )
    def manifest(
        operator: _Number,
        period: _Number,
        region: _Number,
        sequence: _Number,
        name: Literal["manifest.json", "manifest.bin"],
    ) -> Response:
        """The public manifest of a batch, with which anybody can audit it."""
        path = public.manifest(operator, period, region, sequence, name)
        if path is None:
            raise _missing()
        media = "application/json" if name.endswith(".json") else "application/octet-stream"
        return FileResponse(path, media_type=media, headers=_PUBLIC)

    @app.get("/tariffs/{tariff}", response_class=FileResponse, **options)
    def tariff(tariff: _Hash) -> Response:
        """The exact file of a tariff, by the keccak256 that statements name it by."""
        path = public.tariff(tariff)
        if path is None:
            raise _missing()
        media = "application/json" if path.suffix == ".json" else "application/toml"
        headers = {**_PUBLIC, "Cache-Control": "public, max-age=31536000, immutable"}
        return FileResponse(path, media_type=media, headers=headers)


def _known(public: Public, operator: int) -> int:
    if operator not in public.numbers():
        raise _missing()
    return operator


def _missing() -> HTTPException:
    return HTTPException(404, "no such thing here")


def _relay(app: FastAPI, settings: Settings, buckets: Buckets, metrics: Metrics) -> None:
    relay = Relay(settings.endpoint, settings.deployment.ledger, settings.limits, buckets, metrics)

    @app.post("/rpc", tags=["relay"], response_class=JSONResponse)
    async def rpc(request: Request) -> Response:
        """JSON-RPC 2.0: reads of the ledger, one or a batch. The answers are the operator's word."""
        return await relay.answer(request)

    @app.options("/rpc", include_in_schema=False)
    def preflight() -> Response:
        return Response(status_code=204, headers=PREFLIGHT)


def _invoices(app: FastAPI, settings: Settings, buckets: Buckets, metrics: Metrics) -> None:
    if not settings.invoices:
        return
    links = Links(settings.secrets)
    asking = _asking(buckets, min(settings.limits.invoice_cost, settings.limits.burst))

    @app.get("/invoices/{token}", include_in_schema=False, dependencies=[asking])
    def download(token: _Token, form: Literal["pdf", "json"] = "pdf") -> Response:
        found = invoice(settings, links, token, form)
        metrics.invoices.labels("sent" if found else "unknown").inc()
        if found is None:
            raise HTTPException(404, "this link opens nothing, or no longer does: ask for a new one")
        headers = {
            "Content-Disposition": f'attachment; filename="{found.name}"',
            "X-Robots-Tag": "noindex, nofollow",
        }
        return Response(found.content, media_type=found.media, headers=headers)


def _operations(app: FastAPI, settings: Settings, metrics: Metrics) -> None:
    kept: list[tuple[float, dict[str, str]]] = []

    @app.get("/healthz", tags=["operations"])
    def healthz() -> JSONResponse:
        """Whether the store is there and the node serves the ledger: 200 or 503."""
        if not kept or time.monotonic() - kept[-1][0] > _HEALTH_SECONDS:
            kept[:] = [(time.monotonic(), healthy(settings))]
        said = kept[-1][1]
        return JSONResponse(said, 200 if set(said.values()) == {"ok"} else 503)

    @app.get("/metrics", include_in_schema=False)
    def figures() -> Response:
        return Response(metrics.text(), media_type="text/plain; version=0.0.4; charset=utf-8")
