#!/usr/bin/env bash
# Set up what the contract project needs, from nothing but Python 3.11, Node and `npm ci`:
# .venv-contracts (Brownie, Slither), .tools/halmos, the compiler link that py-solc-x looks for, and a HOME of
# the project's own, because Brownie and py-solc-x write into it. Safe to run again.
set -euo pipefail
cd "$(dirname "$0")/.."
root=$PWD

[ -d node_modules/solc ] || { echo "node_modules is missing: run npm install first" >&2; exit 1; }

if [ ! -x .tools/uv/bin/uv ]; then
    python3 -m venv .tools/uv
    .tools/uv/bin/pip install --quiet --disable-pip-version-check uv
fi
uv=.tools/uv/bin/uv

# Brownie's compiled wheel fails on ordinary configuration: build it from source as plain Python.
[ -x .venv-contracts/bin/python ] || "$uv" venv --quiet --python ">=3.11" .venv-contracts
BROWNIE_NOCOMPILE=1 "$uv" pip sync --quiet --python .venv-contracts --no-binary eth-brownie \
    --require-hashes requirements/contracts.txt
# scripts/ use the package: let this environment see its sources.
packages=$(.venv-contracts/bin/python -c 'import sysconfig; print(sysconfig.get_path("purelib"))')
echo "$root/src" >"$packages/billproof.pth"

[ -x .tools/halmos/bin/python ] || "$uv" venv --quiet --python ">=3.11" .tools/halmos
"$uv" pip sync --quiet --python .tools/halmos --require-hashes requirements/halmos.txt

mkdir -p .tools/solcx .home
ln -sfn "$root/tools/solc" .tools/solcx/solc-v0.8.30

echo "contract tools ready: $(.tools/solcx/solc-v0.8.30 --version | tail -n 1)"
