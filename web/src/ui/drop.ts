/** A place to drop files on, with a button for those who do not drag. */

import { h, newId } from "./dom";

export interface DropWords {
  title: string;
  hint: string;
  button: string;
}

export function dropZone(words: DropWords, accept: string, take: (files: File[]) => void, ...extra: HTMLElement[]): HTMLElement {
  const hint = newId();
  const input = h("input", { type: "file", multiple: true, accept, class: "hidden", tabindex: -1, "aria-hidden": "true" });
  input.addEventListener("change", () => {
    const files = [...(input.files ?? [])];
    input.value = ""; // the same file may be chosen again
    if (files.length) take(files);
  });
  const button = h("button", { type: "button", "aria-describedby": hint, onclick: () => input.click() }, words.button);
  const zone = h(
    "div",
    { class: "drop no-print" },
    h("p", { class: "big" }, words.title),
    h("p", { id: hint }, words.hint),
    h("div", { class: "row" }, button, ...extra),
    input,
  );
  let inside = 0;
  const mark = (change: number): void => {
    inside = Math.max(0, inside + change);
    zone.classList.toggle("over", inside > 0);
  };
  zone.addEventListener("dragenter", () => mark(1));
  zone.addEventListener("dragleave", () => mark(-1));
  zone.addEventListener("dragover", (event) => event.preventDefault());
  zone.addEventListener("drop", (event) => {
    event.preventDefault();
    mark(-inside);
    const files = [...(event.dataTransfer?.files ?? [])];
    if (files.length) take(files);
  });
  return zone;
}
