// Elements of a page. All text comes from crash logs: it only ever gets into text nodes and harmless attributes.

export type Child = Node | string | number | null | undefined | false | Child[];
export type Attributes = Record<string, string | number | boolean>;

/// Control, zero-width and bidi characters could hide or reorder what a reader sees: they are shown as \uXXXX.
export const visible = (text: unknown): string =>
  String(text ?? "").replace(/(?![\t\n])[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu,
    c => "\\u" + c.codePointAt(0)!.toString(16).padStart(4, "0"));

export function fill<T extends Element>(node: T, attributes: Attributes, children: Child[]): T {
  for (const [name, value] of Object.entries(attributes)) {
    if (value === false) continue;
    node.setAttribute(name, value === true ? "" : visible(value));
  }
  for (const child of children.flat(9 as 0)) {
    if (child === null || child === undefined || child === false || child === "") continue;
    node.append(child instanceof Node ? child : visible(child));
  }
  return node;
}

export const el = <K extends keyof HTMLElementTagNameMap>(tag: K, attributes: Attributes, ...children: Child[]) =>
  fill(document.createElement(tag), attributes, children);

export const svg = (tag: string, attributes: Attributes, ...children: Child[]) =>
  fill(document.createElementNS("http://www.w3.org/2000/svg", tag), attributes, children);

export const byId = <T extends HTMLElement = HTMLElement>(id: string): T => document.getElementById(id) as T;

export const mute = (...children: Child[]) => el("span", {class: "mute"}, children);
export const code = (...children: Child[]) => el("code", {}, children);
/// The name of a function, which may be broken behind underscores.
export const named = (name: string) => el("code", {}, name.split(/(?<=_)(?=[^_])/).map((part, i) => [i ? el("wbr", {}) : null, part]));
export const tag = (text: Child, kind = "") => el("span", {class: "tag " + kind}, text);

export function button(label: Child, act: (event: MouseEvent) => void, attributes: Attributes = {}) {
  const node = el("button", {type: "button", ...attributes}, label);
  node.addEventListener("click", act);
  return node;
}

export function section(title: string, note: Child, ...parts: Child[]): HTMLElement | null {
  const some = parts.flat(9 as 0).filter(Boolean);
  return some.length ? el("section", {}, el("h3", {}, title, note ? el("span", {}, "  ", note) : null), some) : null;
}

/// A table; the name of a column of numbers begins with `>`. Its text may be hidden: `>.share`. On a phone the last
/// column of the kind `stacked` is below the others.
export function table(heads: string[], rows: HTMLElement[], kind = ""): HTMLElement | null {
  const head = heads.map(name => {
    const text = name.replace(/^>?\.?/, "");
    const kind = name.startsWith(">") ? "fit num" : "";
    return el("th", {scope: "col", class: kind}, /^>?\./.test(name) ? el("span", {class: "unseen"}, text) : text);
  });
  const all = el("table", {}, el("thead", {}, el("tr", {}, head)), el("tbody", {}, rows));
  return rows.length ? el("div", {class: "wide " + kind}, all) : null;
}
export const line = (...cells: Child[]) => el("tr", {}, cells);
export const cell = (kind: string, ...children: Child[]) => el("td", {class: kind}, children);

export function bar(share: number): HTMLElement {
  const inner = el("i", {});
  // Through the object model: the policy of the page forbids style attributes.
  inner.style.width = Math.max(0, Math.min(1, share || 0)) * 100 + "%";
  return el("span", {class: "bar", "aria-hidden": "true"}, inner);
}

/// Names and what they have; rows without a value are left out.
export function facts(pairs: [string, Child][]): HTMLElement | null {
  const isThere = (value: Child): boolean => Array.isArray(value) ? value.some(isThere) : Boolean(value);
  const rows = pairs.filter(([, value]) => isThere(value));
  return rows.length ? el("dl", {}, rows.map(([name, value]) => [el("dt", {}, name), el("dd", {}, value)])) : null;
}

const commas = new Intl.NumberFormat("en");
export const count = (n: number) => commas.format(n);
export const plural = (n: number, word: string) => count(n) + " " + word + (n === 1 ? "" : "s");
export const cut = (text: string, most: number) => text.length > most ? text.slice(0, most - 1) + "…" : text;
export const percent = (share: number) => share >= 0.995 ? "100 %" : share < 0.01 ? "< 1 %" : Math.round(share * 100) + " %";

export async function copy(text: string, from: HTMLElement) {
  const before = from.textContent;
  try {
    await navigator.clipboard.writeText(text);
    from.textContent = "Copied";
  } catch {
    const area = el("textarea", {"aria-label": "Text to copy", class: "copy", readonly: true});
    area.value = text;
    from.after(area);
    area.select();
    from.textContent = "Press Ctrl+C";
  }
  setTimeout(() => { from.textContent = before; }, 2000);
}

export function save(name: string, type: string, text: string) {
  const address = URL.createObjectURL(new Blob([text], {type}));
  const link = el("a", {href: address, download: name});
  document.body.append(link);
  link.click();
  link.remove();
  setTimeout(() => URL.revokeObjectURL(address), 1000);
}

/// A text that is unfolded by a click.
export const folded = (title: string, text: string) =>
  el("details", {class: "folded"}, el("summary", {}, title), el("pre", {tabindex: 0}, text));
