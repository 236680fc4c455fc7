"""The command ``billproof``: one short module per command group, loaded only when it is called."""

from __future__ import annotations

import importlib
import os
import sys
import traceback

import click

from billproof import __version__
from billproof.errors import BillproofError

#: Command → module of this package that defines it, and its line in ``billproof --help``.
COMMANDS = {
    "keystore": ("keystore", "Make a key for signing, in an encrypted file."),
    "deploy": ("ledger", "Deploy the ledger contract to a chain."),
    "operator": ("operator", "Register an operator; grant, revoke and transfer its rights."),
    "simulate": ("simulate", "Write a month of realistic CDR files."),
    "formats": ("batch", "List the CDR formats that `batch` reads."),
    "batch": ("batch", "Commit CDR files to a batch, offline."),
    "secrets": ("secrets", "Back up and restore account seeds and batch secrets."),
    "status": ("status", "Show what of a period is batched, anchored and sealed."),
    "anchor": ("anchor", "Anchor a period's batches on the chain."),
    "seal": ("anchor", "Close a period: afterwards only amendments are anchored."),
    "bundles": ("bundles", "Write one proof file per account."),
    "receipts": ("bundles", "Write one receipt per line of chosen accounts."),
    "receipt": ("bundles", "Cut one line out of a bundle, to show to somebody else."),
    "show": ("show", "Print a bundle's lines as a bill that people can read."),
    "verify": ("verify", "Check bundles and receipts against the chain."),
    "match": ("match", "Lay a bill beside phone logs: which lines do not agree?"),
    "tariff": ("tariff", "Check a tariff's file, and have it explained."),
    "rate": ("rate", "Price usage from files by a tariff."),
    "check": ("check", "Check that statements charge what their tariff says."),
    "clear": ("clear", "Lay two operators' books of the same traffic over each other."),
    "settle": ("settle", "Settle a month of two operators: who pays whom how much, and what stays open."),
    "resolve": ("resolve", "Settle claims that a settlement left open: the next part."),
    "disputes": ("disputes", "Check disputed records of two operators, with both sides' proofs."),
    "agreement": ("agreement", "Check an agreement of two operators, and evaluate its discounts."),
    "house": ("house", "Clear a period with another operator on the chain: books, parts, payment."),
    "audit": ("audit", "Derive batches again and compare them with the chain."),
    "serve": ("serve", "Serve the verifier page, public data and invoices by link."),
    "trust": ("trust", "Pin the operators that you have checked yourself."),
    "demo": ("demo", "Take two operators through a month, and show what verification catches."),
}

EX_SOFTWARE = 70


class _Commands(click.Group):
    """Loads a command's module when it is called, so that ``--help`` starts at once."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
        if name not in COMMANDS:
            return None
        module = importlib.import_module(f"billproof.cli.{COMMANDS[name][0]}")
        command: click.Command = getattr(module, name)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, words) for name, (_, words) in COMMANDS.items()])


@click.group(
    cls=_Commands, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100}
)
@click.version_option(__version__, prog_name="billproof")
def cli() -> None:
    """Phone bills that both sides can check.

    The operator commits its call records to a public ledger and hands every subscriber a proof file; the
    subscriber checks every line of the invoice against the chain.

    Exit codes: 0 done or valid, 1 findings or invalid, 2 bad input, 3 not anchored, 4 cannot check,
    70 an internal error.
    """


def main(arguments: list[str] | None = None) -> None:
    """Runs the command line and exits; every known error becomes a message and its exit code."""
    from billproof.cli.output import report_error

    arguments = sys.argv[1:] if arguments is None else arguments
    as_json = "--json" in arguments
    try:
        code = cli.main(arguments, prog_name="billproof", standalone_mode=False) or 0
    except click.exceptions.Exit as stop:
        code = stop.exit_code
    except click.Abort:
        code = report_error("interrupted", "run it again: finished steps are kept", 130, as_json)
    except click.ClickException as error:
        context = getattr(error, "ctx", None)
        advice = f"see `{context.command_path} --help`" if context else ""
        code = report_error(error.format_message(), advice, 2, as_json)
    except BillproofError as error:
        code = report_error(error.message, error.advice, error.exit_code, as_json)
    except BrokenPipeError:
        sys.stdout = None  # the reader has gone; flushing at exit would fail again
        code = 0
    except Exception as error:  # noqa: BLE001 - the last resort: a bug must never look like a finding
        if os.environ.get("BILLPROOF_DEBUG"):
            traceback.print_exc()
        code = report_error(
            f"internal error: {type(error).__name__}: {error}",
            "this is a bug in billproof; BILLPROOF_DEBUG=1 shows where",
            EX_SOFTWARE,
            as_json,
        )
    sys.exit(code if isinstance(code, int) else 0)
