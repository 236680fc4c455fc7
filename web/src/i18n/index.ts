/** Words in the reader's language. */

import { de } from "./de";
import { deMatch } from "./de-match";
import { deTariff } from "./de-tariff";
import { en } from "./en";
import { enMatch } from "./en-match";
import { enTariff } from "./en-tariff";
import { fr } from "./fr";
import { frMatch } from "./fr-match";
import { frTariff } from "./fr-tariff";

export type Language = "en" | "de" | "fr";
export type Key = keyof typeof en | keyof typeof enMatch | keyof typeof enTariff;
export type Table = Record<Key, string>;

export const TABLES: Record<Language, Table> = {
  en: { ...en, ...enMatch, ...enTariff },
  de: { ...de, ...deMatch, ...deTariff },
  fr: { ...fr, ...frMatch, ...frTariff },
};
export const NAMES: Record<Language, string> = { en: "English", de: "Deutsch", fr: "Français" };

let language: Language = "en";

export function setLanguage(next: Language): void {
  language = next;
}

export function currentLanguage(): Language {
  return language;
}

/** The first of the reader's languages that there is a table for. */
export function preferred(languages: readonly string[]): Language {
  for (const tag of languages) {
    const base = tag.slice(0, 2).toLowerCase();
    if (base in TABLES) return base as Language;
  }
  return "en";
}

export function hasKey(key: string): key is Key {
  return Object.hasOwn(TABLES.en, key);
}

/** The words of a key; `{name}` is replaced, `one|many` chosen by `n`. */
export function t(key: Key, words: Record<string, string | number> = {}): string {
  let template = TABLES[language][key];
  const forms = template.split("|");
  if (forms.length === 2) {
    const one = new Intl.PluralRules(language).select(Number(words.n)) === "one";
    template = forms[one ? 0 : 1]!;
  }
  return template.replace(/\{(\w+)\}/g, (_, name: string) => {
    const value = words[name];
    return typeof value === "number" ? value.toLocaleString(language) : (value ?? "");
  });
}
