"""``billproof demo --serve``: the month stays there to be looked at, with a link to one invoice."""

from __future__ import annotations

import json
import re
import signal
import socket
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from billproof.cli import main


def test_the_demo_leaves_its_month_running(tmp_path: Path) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "billproof", "demo", "--subscribers", "20", "--serve"]
    command += ["--out", str(tmp_path / "demo"), "--port", str(port)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            said = ""
            for line in process.stdout:
                said += line
                if "An operator to pin" in line:
                    break
            (link,) = re.findall(r"invoice +(http\S+/invoices/\S{43})\n", said)
            assert httpx.get(link).content.startswith(b"%PDF")
            assert httpx.get(f"http://127.0.0.1:{port}/healthz").json() == {"store": "ok", "node": "ok"}
            named = httpx.get(f"http://127.0.0.1:{port}/.well-known/billproof.json").json()["operators"]
            assert [operator["operatorId"] for operator in named] == ["1", "2"], "never the impostor"
            *logs, tariff = re.findall(
                r"^  (?:the phone's log|and|the tariff that it names) +(\S.*)$", said, re.MULTILINE
            )
            assert logs
            assert all(Path(name).exists() for name in (*logs, tariff))
            summary = json.loads((tmp_path / "demo" / "summary.json").read_text())
            assert summary["bundles"] == {"total": 40, "valid": 40, "pricedByPublishedTariff": 40}
            home = tmp_path / "demo"
            assert Path(summary["match"]["tariff"]) == Path(tariff)
            assert Path(tariff).parent == home / "operator-1/bundles/tariffs"
            assert f"--tariff {tariff}" in (home / "DEMO.txt").read_text()
            assert "billed wrongly on purpose" in said
            assert (home / "phone/letter.txt").read_text().startswith("To Meridian\n")
            audit = [
                "audit",
                home / "store",
                "--secrets",
                home / "secrets",
                "--rpc",
                f"embedded:{home}/chain.jsonl",
            ]
            with pytest.raises(SystemExit) as ended:
                main([str(word) for word in audit])
            assert not ended.value.code, "the cheats keep books of their own"
            batches = [path.name for path in (home / "store").glob("*/*/*/")]
            assert sorted(batches) == ["0-1", "0-1", "1-1", "1-1", "2-1", "2-1", "3-1"]
            assert "at stake" in (tmp_path / "demo" / "phone" / "report.html").read_text()
            process.send_signal(signal.SIGINT)
            process.communicate(timeout=20)
        finally:
            process.kill()  # which leaves an ended one alone
    assert process.returncode == 0
