#!/usr/bin/env bash
# The browser verifier: types, tests, build; the built page is the committed one and stays small.
# `--write` puts a newly built page in its place instead of comparing.
set -euo pipefail
cd "$(dirname "$0")/../web"
page=../src/billproof/portal/verifier.html
limit=400000

node_modules/.bin/tsc --noEmit
node_modules/.bin/vitest run
node_modules/.bin/vite build --logLevel warn
if [ "${1:-}" = --write ]; then
    cp dist/index.html "$page"
elif ! cmp dist/index.html "$page"; then
    echo "check_web: src/billproof/portal/verifier.html is not what web/ builds: bash tools/check_web.sh --write" >&2
    exit 1
fi
size=$(gzip -9 -n <dist/index.html | wc -c)
echo "verifier.html: $(wc -c <dist/index.html) bytes, $size compressed (at most $limit)"
[ "$size" -le "$limit" ] || { echo "check_web: the page is too large" >&2; exit 1; }
