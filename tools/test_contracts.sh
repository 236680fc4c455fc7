#!/usr/bin/env bash
# Run every check of the contracts: the shipped artifact and the gas table against the sources, forge, Slither and
# halmos in one lane, Brownie on anvil and on ganache in the other. Needs `npm ci` and tools/setup_contracts.sh.
set -uo pipefail
cd "$(dirname "$0")/.."
root=$PWD

for needed in node_modules/solc .venv-contracts/bin/brownie .tools/halmos/bin/halmos .tools/solcx/solc-v0.8.30; do
    [ -e "$needed" ] || { echo "$needed is missing: run npm ci and tools/setup_contracts.sh" >&2; exit 1; }
done

# Brownie, py-solc-x and forge write into HOME.
export HOME="$root/.home" SOLCX_BINARY_PATH="$root/.tools/solcx"
# npm's launcher of forge exits with 0 whatever forge says: the program itself comes first.
native=$(dirname "$(ls node_modules/@foundry-rs/forge-*/bin/forge 2>/dev/null | head -n 1)")
[ -x "$native/forge" ] || { echo "the forge program is missing: run npm install" >&2; exit 1; }
export PATH="$root/$native:$root/.venv-contracts/bin:$root/node_modules/.bin:$PATH"

failed=$(mktemp)
brownie_log=$(mktemp)
trap 'rm -f "$failed" "$brownie_log"' EXIT

step() { # step <name> <command...>: run it, note its name if it fails
    local name=$1
    shift
    printf "\n== %s (after %s s)\n" "$name" "$SECONDS"
    "$@" || echo "$name" >>"$failed"
}

brownie_lane() {
    step "Brownie, compile" brownie compile
    step "Brownie on anvil" brownie test tests/contracts
    step "Brownie on ganache" brownie test tests/contracts --network ganache-cli
}

brownie_lane >"$brownie_log" 2>&1 &
brownie_pid=$!
trap 'kill "$brownie_pid" 2>/dev/null; exit 130' INT TERM

step "artifact" python3 tools/build_artifact.py --check
step "gas table" .venv-contracts/bin/python tools/gas_table.py --check
step "format" forge fmt --check interfaces contracts tests/forge
step "forge" forge test
# Slither empties the directory that it builds into, halmos wants syntax trees: each gets a directory of its own.
step "Slither" env FOUNDRY_OUT=out/slither FOUNDRY_CACHE_PATH=cache/slither slither .
step "halmos" env FOUNDRY_OUT=out/halmos FOUNDRY_CACHE_PATH=cache/halmos \
    .tools/halmos/bin/halmos --match-contract '^Symbolic.*Test$' --forge-build-out out/halmos --no-status

wait "$brownie_pid"
cat "$brownie_log"

if [ -s "$failed" ]; then
    printf '\ncontracts: failed: %s\n' "$(paste -sd, "$failed")" >&2
    exit 1
fi
printf '\ncontracts: everything passed\n'
