#!/usr/bin/env bash
# Brownie in its own environment: tools/brownie.sh ARGS… (tools/setup_contracts.sh makes the environment).
set -euo pipefail
cd "$(dirname "$0")/.."

# Brownie and py-solc-x write into HOME; both find the compiler and the chains by these.
export HOME="$PWD/.home" SOLCX_BINARY_PATH="$PWD/.tools/solcx"
export PATH="$PWD/.venv-contracts/bin:$PWD/node_modules/.bin:$PATH"
exec brownie "$@"
