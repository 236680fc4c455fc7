"""What the figures were measured on: processor, memory, kernel, and the versions of all competitors."""

from __future__ import annotations

import json
import os
import platform
import subprocess
from importlib.metadata import version
from pathlib import Path

from processes import ROOT

_PYTHON = (
    "billproof",
    "numba",
    "llvmlite",
    "numpy",
    "pyarrow",
    "safe-pysha3",
    "tiny-keccak",
    "pycryptodome",
    "eth-hash",
    "eth-abi",
    "pymerkle",
)
_NODE = ("@openzeppelin/merkle-tree", "merkletreejs", "viem")


def describe() -> dict[str, object]:
    """The machine in words and numbers. Linux only."""
    lines = _said_by("lscpu").splitlines()
    cpu = {name.strip(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
    flags = cpu.get("Flags", "").split()
    vectors = [name for name in ("avx512f", "avx2", "avx", "sse2") if name in flags]
    memory = Path("/proc/meminfo").read_text().splitlines()[0].split()[1]
    return {
        "processor": cpu.get("Model name", platform.machine()),
        "cores": int(cpu.get("CPU(s)", "0")),
        "virtual": "Hypervisor vendor" in cpu,
        "vectors": {"avx512f": "AVX-512", "avx2": "AVX2"}.get(vectors[0], vectors[0]) if vectors else "none",
        "memory GiB": round(int(memory) / (1 << 20)),
        "kernel": "Linux " + ".".join(platform.release().split(".")[:2]),
    }


def versions() -> dict[str, str]:
    """Name → version of what takes part, Python and Node.js included."""
    packages = {name: ROOT / "node_modules" / name / "package.json" for name in _NODE}
    return {
        "Python": platform.python_version(),
        "Node.js": _said_by("node", "--version").strip().removeprefix("v"),
        **{name: version(name) for name in _PYTHON},
        **{name: json.loads(path.read_text())["version"] for name, path in packages.items()},
    }


def _said_by(*command: str) -> str:
    said = subprocess.run(
        command, capture_output=True, text=True, check=True, env={**os.environ, "LC_ALL": "C"}
    )
    return said.stdout
