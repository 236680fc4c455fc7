/** Google Voice, as Google Takeout gives it: a page of HTML for each call and each stretch of conversation. */

import { Collector } from "./collector";
import { scanHtml } from "./html";
import { RowError } from "./problems";
import { latin1 } from "./text";
import type { Entry, PhoneLog } from "./types";
import { answeredBy, cleanNumber, duration, second, segments } from "./values";

export const MAX_PAGE = 16 << 20;
const MAX_PEOPLE = 100;
const MOMENT =
  /^([0-9]{4})-([0-9]{2})-([0-9]{2})T([0-9]{2}):([0-9]{2}):([0-9]{2})(?:\.[0-9]{1,9})?(?:Z|([+-])([0-9]{2}):([0-9]{2}))$/;
const DURATION = /^PT(?:([0-9]{1,4})H)?(?:([0-9]{1,5})M)?(?:([0-9]{1,7})S)?$/;
const NAMED = /^(\+?[0-9]{3,20}) - /;
const LABELS = new Map<string, [Entry["direction"], Entry["answered"] | null]>([
  ["placed", ["out", null]],
  ["received", ["in", "yes"]],
  ["recorded", ["in", "yes"]],
  ["missed", ["in", "no"]],
  ["voicemail", ["in", "no"]],
]);
const PICTURES = ["img", "video", "audio"];

export function isVoicePage(bytes: Uint8Array): boolean {
  const text = latin1(bytes);
  return text.includes("haudio") || text.includes("hChatLog");
}

/** Adds what pages say, one after the other; rejects give the page's place, from 1. */
export class VoiceReader {
  readonly collector: Collector;
  private place = 0;

  constructor(name: string) {
    this.collector = new Collector(name);
  }

  page(name: string, bytes: Uint8Array): void {
    this.place++;
    if (!isVoicePage(bytes)) return;
    const page = new Page();
    scanHtml(new TextDecoder().decode(bytes), page);
    page.finish();
    if (page.isCall) this.collector.add(this.place, () => page.callRow());
    const others = page.others.length > 0 ? page.others : named(name);
    for (const message of page.messages) {
      for (const other of message.mine && others.length > 0 ? others : [""]) {
        this.collector.add(this.place, () => rowOf(message, other, others.length));
      }
    }
  }

  log(): PhoneLog {
    return this.collector.log("google-voice");
  }
}

interface Message {
  moment: string;
  sender: string;
  mine: boolean;
  picture: boolean;
  text: string;
}

/** The number in a page's file name, which has it when the address book has no name. */
function named(name: string): string[] {
  const match = NAMED.exec(name.slice(name.lastIndexOf("/") + 1));
  return match ? [match[1]!] : [];
}

function momentOf(field: string, text: string): number {
  const match = MOMENT.exec(text);
  if (!match) throw new RowError(field, text === "" ? "is missing" : "is not a time with its offset");
  const [year, month, day, hour, minute, seconds] = match.slice(1, 7).map(Number) as [number, number, number, number, number, number];
  const date = new Date(0);
  date.setUTCFullYear(year, month - 1, day);
  const exists = year >= 1 && date.getUTCMonth() === month - 1 && date.getUTCDate() === day;
  const [east, west] = [Number(match[8] ?? 0), Number(match[9] ?? 0)];
  if (!exists || hour > 23 || minute > 59 || seconds > 59 || east > 23 || west > 59) {
    throw new RowError(field, "is no time that exists");
  }
  const offset = (match[7] === "-" ? -60 : 60) * (east * 60 + west);
  return second(field, date.getTime() / 1000 + hour * 3600 + minute * 60 + seconds - offset);
}

function rowOf(message: Message, other: string, others: number): Entry {
  const at = momentOf("dt", message.moment);
  const number = cleanNumber(message.mine ? other : message.sender);
  const several = message.picture || others > 1;
  return {
    kind: several ? "mms" : "message",
    direction: message.mine ? "out" : "in",
    answered: "yes",
    number,
    at,
    duration: 0,
    parts: several ? 0 : segments(message.text),
    sim: "",
  };
}

class Page {
  isCall = false;
  readonly messages: Message[] = [];
  readonly others: string[] = [];
  private number = "";
  private published = "";
  private duration = "";
  private readonly labels: string[] = [];
  private message: Message | null = null;
  private cite = false;
  private quote = false;

  start(tag: string, attributes: Map<string, string>): void {
    const classes = (attributes.get("class") ?? "").split(/\s+/);
    const { message } = this;
    if (tag === "div" && classes.includes("haudio")) this.isCall = true;
    else if (tag === "div" && classes.includes("message")) {
      this.finish();
      this.message = { moment: "", sender: "", mine: false, picture: false, text: "" };
    } else if (tag === "a" && classes.includes("tel")) this.tel((attributes.get("href") ?? "").replace(/^tel:/, ""));
    else if (tag === "a" && attributes.get("rel") === "tag") {
      const href = attributes.get("href") ?? "";
      this.labels.push(href.slice(href.lastIndexOf("#") + 1));
    } else if (tag === "abbr") this.abbr(classes, attributes.get("title") ?? "");
    else if (tag === "cite") this.cite = true;
    else if (tag === "q") this.quote = true;
    else if (tag === "br" && this.quote && message) message.text += "\n";
    else if (PICTURES.includes(tag) && message) message.picture = true;
  }

  end(tag: string): void {
    if (tag === "cite") this.cite = false;
    else if (tag === "q") this.quote = false;
  }

  text(text: string): void {
    if (this.quote && this.message) this.message.text += text;
  }

  /** The message that was being read is complete. */
  finish(): void {
    if (this.message) {
      if (!this.message.mine) this.meet(this.message.sender);
      this.messages.push(this.message);
    }
    this.message = null;
    this.cite = false;
    this.quote = false;
  }

  callRow(): Entry {
    const label = this.labels.find((label) => LABELS.has(label));
    if (label === undefined) throw new RowError("tags", "have no label that says whether it was placed, received or missed");
    const [direction, known] = LABELS.get(label)!;
    const at = momentOf("published", this.published);
    let seconds = known === "no" ? 0 : -1;
    if (this.duration !== "") {
      const match = DURATION.exec(this.duration);
      if (!match?.slice(1).some((part) => part !== undefined)) {
        throw new RowError("duration", "is not an ISO 8601 duration");
      }
      const [hours, minutes, rest] = match.slice(1).map((part) => Number(part ?? 0)) as [number, number, number];
      seconds = duration("duration", hours * 3600 + minutes * 60 + rest);
    }
    const answered = known ?? answeredBy(seconds);
    return { kind: "call", direction, answered, number: cleanNumber(this.number), at, duration: seconds, parts: 0, sim: "" };
  }

  private tel(number: string): void {
    if (this.message) {
      if (this.cite) this.message.sender = number;
    } else if (this.isCall) this.number ||= number;
    else this.meet(number);
  }

  private abbr(classes: string[], title: string): void {
    if (classes.includes("published")) this.published ||= title;
    else if (classes.includes("duration")) this.duration ||= title;
    else if (classes.includes("dt") && this.message) this.message.moment = title;
    else if (classes.includes("fn") && this.message && this.cite) this.message.mine = true;
  }

  private meet(number: string): void {
    if (number !== "" && !this.others.includes(number) && this.others.length < MAX_PEOPLE) this.others.push(number);
  }
}
