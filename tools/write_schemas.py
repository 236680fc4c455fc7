#!/usr/bin/env python3
"""Write the JSON Schemas of all documents that others may read or write, `docs/schemas/*.json`.

`--check` writes nothing and fails when a file differs.
"""

import argparse
import json
import sys
from pathlib import Path

from billproof.bundle.documents import json_schemas
from billproof.clearing.agreement import form as agreement_form
from billproof.clearing.disputes import form as disputes_form
from billproof.clearing.document import form as document_form
from billproof.clearing.house import form as house_form
from billproof.clearing.settlement import form as settlement_form
from billproof.tariff import form

ROOT = Path(__file__).resolve().parent.parent
SCHEMAS = ROOT / "docs/schemas"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--check", action="store_true", help="fail when a file differs instead of writing it")
    check = parser.parse_args().check
    status = 0
    schemas = {
        **json_schemas(),
        form.SCHEMA: form.json_schema(),
        agreement_form.SCHEMA: agreement_form.json_schema(),
        settlement_form.SCHEMA: settlement_form.json_schema(),
        document_form.SCHEMA: document_form.json_schema(),
        disputes_form.SCHEMA: disputes_form.json_schema(),
        **house_form.json_schemas(),
    }
    for name, schema in schemas.items():
        path = SCHEMAS / f"{name.split('/')[1]}.json"
        text = json.dumps(schema, indent=2) + "\n"
        if path.exists() and path.read_text() == text:
            continue
        print(f"{path.relative_to(ROOT)}: {'differs, run tools/write_schemas.py' if check else 'written'}")
        status = int(check)
        if not check:
            SCHEMAS.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
    return status


if __name__ == "__main__":
    sys.exit(main())
