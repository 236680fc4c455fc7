import { expect, test } from "vitest";
import { parseDocument, SchemaError, UnusableError } from "../../src/protocol/documents";
import { NotJson, parseJson, TooDeep } from "../../src/protocol/json";
import { include } from "../../src/protocol/inclusion";
import { processorTime } from "../support/time";
import { bytesOf, vectors } from "./vectors";

const read = (text: string) => parseJson(text, 16).value;

test.each([
  "{}", "[]", ' [1, -0.5e3, "a\\u0041\\n\\"", true, false] ', '{"a":{"b":[]}}', '"\\ud83d\\ude00"', '{"__proto__":1}',
])("agrees with JSON.parse: %s", (text) => {
  expect(JSON.stringify(read(text))).toBe(JSON.stringify(JSON.parse(text)));
});

test.each([
  "", "{", "[1,]", '{"a":1,}', "01", "1.", "+1", "'a'", '"a', '"\n"', '"\\x"', "{} {}", "[1 2]", "tru", '{"a" 1}', "\u00a0{}", '{1:2}',
])("refuses %j", (text) => {
  expect(() => read(text)).toThrow(NotJson);
});

test("depth is bounded, whatever the length", () => {
  expect(() => read("[".repeat(1_000_000))).toThrow(TooDeep);
});

test("faults of JSON that other readers hide", () => {
  const codes = parseJson('{"a":1,"a":null,"b":"\\ud800","c":NaN}', 16).faults.map(({ code }) => code);
  expect(codes.sort()).toEqual(["null", "number", "repeated", "surrogate"]);
});

const bundle = JSON.stringify(vectors("batch").bundles["1001"]);
const outcome = (text: string | Uint8Array): string => {
  try {
    parseDocument(typeof text === "string" ? new TextEncoder().encode(text) : text);
    return "read";
  } catch (error) {
    return error instanceof SchemaError ? "invalid" : error instanceof UnusableError ? `unusable ${error.code}` : String(error);
  }
};

test("unusable and invalid are told apart", () => {
  expect(outcome(bundle)).toBe("read");
  expect(outcome("")).toBe("unusable empty");
  expect(outcome("[1]")).toBe("unusable foreign");
  expect(outcome('{"schema":"else"}')).toBe("unusable foreign");
  expect(outcome('{"schema":"billproof/bundle/2"}')).toBe("unusable kind");
  expect(outcome(`${bundle}x`)).toBe("unusable json");
  expect(outcome(`\ufeff${bundle}`)).toBe("unusable json");
  expect(outcome(bundle.slice(0, -1))).toBe("unusable json");
  expect(outcome(new Uint8Array([0x22, 0xff, 0x22]))).toBe("unusable text");
  expect(outcome('{"schema":"billproof/bundle/1"}')).toBe("invalid");
  expect(outcome(bundle.replace('"schema":', '"schema":"billproof/bundle/1","schema":'))).toBe("invalid");
  expect(outcome(bundle.replace('"batch":', '"extra":"1","batch":'))).toBe("invalid");
  expect(outcome(bundle.replace('"batch":', '"__proto__":"1","batch":'))).toBe("invalid");
  expect(outcome(bundle.replace('"1001"', '"\\ud800"'))).toBe("invalid");
  expect(outcome(bundle.replace('"270000000"', "270000000"))).toBe("invalid");
});

test("numbers beyond their types break the format", () => {
  for (const [from, to] of [
    ['"service":"1"', '"service":"256"'],
    ['"utcOffset":"120"', '"utcOffset":"32768"'],
    ['"usage":"125"', '"usage":"9999999999999999999"'],
    ['"chainId":"31337"', `"chainId":"${1n << 256n}"`],
    ['"region":"0"', '"region":"4294967296"'],
  ] as const) {
    const changed = bundle.replace(from, to);
    expect(changed).not.toBe(bundle);
    expect(() => include(parseDocument(new TextEncoder().encode(changed)) as never), to).toThrow(SchemaError);
  }
});

test("1,000 lines in half a second", () => {
  const big = JSON.parse(bundle);
  const line = big.records[0];
  big.records = Array.from({ length: 1000 }, (_, at) => ({ ...line, index: String(at), rate: `rate ${at % 7}` }));
  const content = bytesOf(big);
  expect(processorTime(() => include(parseDocument(content) as never))).toBeLessThan(500);
});
