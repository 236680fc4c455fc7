/** The reader's own choices: a server, test networks, confirmed companies. */

import { t } from "../i18n";
import type { Pin } from "../chain/identity";
import { details, h, newId } from "./dom";
import { type Actions, nodeForm } from "./report";
import type { Kept } from "./store";

export function settingsBox(kept: Kept, actions: Pick<Actions, "useNode" | "node">, change: (kept: Kept) => void): HTMLDetailsElement {
  const id = newId();
  const testnets = h("input", { id, type: "checkbox", checked: kept.testnets });
  testnets.addEventListener("change", () => change({ ...kept, testnets: testnets.checked }));
  const forget = (pin: Pin): HTMLElement =>
    h(
      "li",
      {},
      h("span", {}, h("strong", {}, pin.name), ` ${pin.chainId} · ${pin.ledger.slice(0, 10)}… · ${pin.operatorId}`),
      h(
        "button",
        {
          type: "button",
          class: "quiet",
          "aria-label": `${t("settings.forget")}${t("colon")}${pin.name}`,
          onclick: () => change({ ...kept, pins: kept.pins.filter((other) => other !== pin) }),
        },
        t("settings.forget"),
      ),
    );
  const box = details(
    t("settings.title"),
    nodeForm(actions),
    h("p", {}, testnets, h("label", { for: id }, ` ${t("settings.testnets")}`)),
    h("h3", {}, t("settings.pins")),
    kept.pins.length ? h("ul", { class: "pins" }, ...kept.pins.map(forget)) : h("p", {}, t("settings.noPins")),
    h("p", { class: "small" }, t("settings.what")),
  );
  box.className = "settings no-print";
  return box;
}
