"use strict";
const form = document.querySelector("form.filters");
if (form) {
  const rows = [...document.querySelectorAll("#findings tbody tr")];
  const search = form.querySelector("input[type=search]");
  const status = form.querySelector("[role=status]");
  const apply = () => {
    const kinds = new Set([...form.querySelectorAll("input:checked")].map((box) => box.value));
    const wanted = search.value.trim().toLowerCase();
    let shown = 0;
    for (const row of rows) {
      row.hidden = !kinds.has(row.dataset.kind) || !row.textContent.toLowerCase().includes(wanted);
      shown += row.hidden ? 0 : 1;
    }
    status.textContent = `${shown} of ${rows.length} shown`;
  };
  form.addEventListener("input", apply);
  form.addEventListener("submit", (event) => event.preventDefault());
  form.hidden = false;
  apply();
}
const asked = document.querySelector(".questions");
if (asked) {
  const boxes = [...asked.querySelectorAll("input")];
  const status = asked.parentElement.querySelector("[role=status]");
  const tell = () => {
    const ticked = boxes.filter((box) => box.checked);
    const cents = ticked.reduce((sum, box) => sum + BigInt(box.dataset.amount), 0n) / 10000000n;
    const text = `${cents / 100n}.${String(cents % 100n).padStart(2, "0")}`;
    status.textContent = ticked.length ? `${ticked.length} of ${boxes.length} not yours: ${text} ${asked.dataset.currency}` : "";
  };
  asked.addEventListener("input", tell);
  tell();
}
