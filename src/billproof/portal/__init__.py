"""The operator's web server: the verifier page, a read-only relay to its node, public data, invoices by link.

Nothing that it says is needed for a verdict: who owns it can refuse service, and mislead whoever asks nobody
else (docs/portal.md).
"""

from billproof.portal.app import create_app
from billproof.portal.settings import Settings

__all__ = ["Settings", "create_app"]
