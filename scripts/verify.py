"""`brownie run verify`: verify the bundle or receipt that BILLPROOF_FILE names, on the node as well."""

from pathlib import Path

from billproof.trust import Pins
from billproof.verification import Verifier
from scripts.connection import rpc_url, setting


def main():
    """Prints each step of the verdict."""
    verifier = Verifier(pins=Pins.load(), rpc=[rpc_url()], on_chain="node")
    report = verifier.verify(Path(setting("BILLPROOF_FILE")))
    for step in report.steps:
        print(f"{step.verdict.words}: {step.name}: {step.message}")
    print(report.verdict.words)
    return report
