/** The tags and text of a page of HTML, in order; whatever is no good HTML is text, as in a browser. */

const TAG = /<(\/?)([A-Za-z][^\s/>]{0,63})((?:[^>"']|"[^"]*"|'[^']*')*)>/y;
const ATTRIBUTE = /([^\s=/"'>]+)(?:\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s"'>]+)))?/g;
const NAMED: Record<string, string> = { amp: "&", lt: "<", gt: ">", quot: '"', apos: "'", nbsp: "\u00a0" };
const MAX_TAG = 65_536;

export interface HtmlHandler {
  start(tag: string, attributes: Map<string, string>): void;
  end(tag: string): void;
  text(text: string): void;
}

export function scanHtml(page: string, handler: HtmlHandler): void {
  let at = 0;
  while (at < page.length) {
    const open = page.indexOf("<", at);
    const stop = open < 0 ? page.length : open;
    if (stop > at) handler.text(unescapeHtml(page.slice(at, stop)));
    if (open < 0) return;
    if (page.startsWith("<!--", open)) at = past(page, "-->", open + 4);
    else if (page[open + 1] === "!" || page[open + 1] === "?") at = past(page, ">", open + 2);
    else at = tagAt(page, open, handler);
  }
}

function tagAt(page: string, open: number, handler: HtmlHandler): number {
  const close = page.indexOf(">", open);
  if (close < 0) return page.length;
  if (!/[A-Za-z/]/.test(page[open + 1]!)) {
    handler.text("<");
    return open + 1;
  }
  if (close - open > MAX_TAG) return close + 1;
  TAG.lastIndex = 0;
  const match = TAG.exec(page.slice(open, Math.min(page.length, open + MAX_TAG)));
  if (!match) return close + 1; // Never looked at again: a page of broken tags is read in one pass.
  const tag = match[2]!.toLowerCase();
  const end = open + match[0].length;
  if (match[1] === "/") {
    handler.end(tag);
    return end;
  }
  const attributes = new Map<string, string>();
  for (const [, name, double, single, bare] of match[3]!.matchAll(ATTRIBUTE)) {
    attributes.set(name!.toLowerCase(), unescapeHtml(double ?? single ?? bare ?? ""));
  }
  handler.start(tag, attributes);
  if (match[3]!.endsWith("/")) handler.end(tag);
  else if (tag === "style" || tag === "script") {
    const finish = page.indexOf(`</${tag}`, end);
    return finish < 0 ? page.length : finish;
  }
  return end;
}

function past(page: string, mark: string, from: number): number {
  const found = page.indexOf(mark, from);
  return found < 0 ? page.length : found + mark.length;
}

export function unescapeHtml(text: string): string {
  if (!text.includes("&")) return text;
  return text.replace(/&(?:#([0-9]{1,7})|#[xX]([0-9a-fA-F]{1,6})|([a-z]{2,5}));?/g, (all, decimal, hex, named) => {
    if (named !== undefined) return Object.hasOwn(NAMED, named) ? NAMED[named]! : all;
    const code = decimal !== undefined ? Number.parseInt(decimal, 10) : Number.parseInt(hex, 16);
    return code === 0 || code > 0x10ffff || (code >= 0xd800 && code < 0xe000) ? "\ufffd" : String.fromCodePoint(code);
  });
}
