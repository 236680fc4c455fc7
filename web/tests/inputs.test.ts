import { expect, test } from "vitest";
import { otherKind } from "../src/inputs";

const kind = (text: string): string | null => otherKind(new TextEncoder().encode(text));

test("what is no bill is told by its beginning", () => {
  expect(kind("milk, eggs")).toBe("text");
  expect(kind("\ufeffName;Number\n")).toBe("text");
  expect(kind("<!doctype html><p>")).toBe("web");
  expect(kind("<?xml version='1.0'?>\n<calls count='2'><call numb")).toBe("brokenLog");
  expect(kind("<a/>")).toBe("markup");
  expect(kind("PK\x03\x04")).toBe("archive");
});

test("what may be a bill, or nobody can tell, is left to the check", () => {
  for (const text of ["", "{", '{"schema":"billproof/bundle/1"', "[".repeat(1000), "\0\0"]) expect(kind(text)).toBeNull();
  expect(otherKind(new Uint8Array([0, 0xff, 0xfe]))).toBeNull();
});
