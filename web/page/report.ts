// A report as elements. The page that reads logs and the page of bugs show reports with these parts.

import {bar, cell, Child, code, el, facts, folded, line, mute, named, percent, section, table, tag} from "./dom.js";

export interface Frame {
  function?: string; offset?: number; size?: number; module?: string; address?: string; exact?: boolean;
  reliable?: boolean; inline?: boolean; file?: string; line?: number;
}
export interface Stack { role: string; frames: Frame[] }
export interface Suspect {
  function: string; file?: string; directory?: string; subsystem?: string; lists?: string[]; probability: number; why: string;
}
export interface Instruction { offset: number; bytes: string; text: string; trapping?: boolean }
export interface Step { offset?: number; text: string; means: string; target?: string }
export interface Meaning { name: string; class: string; meaning: string }

/// The fields of a report's JSON that are shown: docs/src/report.schema.json has all.
export interface Report {
  file: string; index: number; span: {start: number; end: number; line: number};
  kind: string; title: string; alt_titles?: string[]; type?: string; headline?: string; message?: string;
  corrupted?: string; complete?: boolean; incomplete?: string[]; panicked?: boolean; consequences?: string[];
  kernel?: {release?: string; arch?: string; tainted?: string; hardware?: string; build_id?: string};
  task?: {comm?: string; pid?: number; cpu?: number; workqueue?: string};
  time?: {printk?: number | string; wall?: string};
  access?: {kind?: string; size?: number; address?: string};
  location?: {file: string; line: number};
  blame?: {function: string; file?: string; line?: number; why: string};
  diagnosis?: {summary: string; why?: {text: string; line?: number}[]; confidence?: string};
  suspects?: Suspect[];
  code?: {arch?: string; bytes?: string; trap_offset?: number; instructions?: Instruction[]};
  explanation?: {summary: string; steps?: Step[]; pointer?: {register?: string; value?: string; origin?: string};
    condition?: {text: string}; confidence?: string};
  registers?: Record<string, string>;
  stacks?: Stack[];
  memory?: {object?: Record<string, unknown>};
  modules?: {name: string; flags?: string}[];
  diagnostics?: {what: string; why: string}[];
  signature?: unknown;
  occurrence?: number;
}

/// Where an element's text is in the log: lines by number, or those that contain all of some texts.
export interface Mention { lines?: number[]; all?: string[] }
export const mentions = new WeakMap<Element, Mention>();

/// Says where the text of an element comes from. It can be reached by the keyboard.
function from<T extends HTMLElement>(node: T, mention: Mention): T {
  if (!mention.lines?.length && !mention.all?.length) return node;
  mentions.set(node, mention);
  node.classList.add("from");
  node.tabIndex = 0;
  return node;
}

const hex = (n: number) => "0x" + n.toString(16);
const digits = (value: string) => value.replace(/^0x/, "");

/// What a frame is called in a log.
export function frameName(frame: Frame): string {
  if (!frame.function) return frame.address ?? "?";
  const place = frame.offset === undefined ? "" : "+" + hex(frame.offset) + (frame.size ? "/" + hex(frame.size) : "");
  return frame.function + place;
}

export function head(report: Report): HTMLElement {
  const {kernel = {}, task = {}} = report;
  const comm = task.comm ? `${task.comm}${task.pid === undefined ? "" : ` (${task.pid})`}` : "";
  const tags: [string, string, string][] = [
    [report.kind, "kind", "kind of the failure"],
    [report.type ?? "", "", "type of the bug"],
    [kernel.release ?? "", "", "release of the kernel"],
    [kernel.arch ?? "", "", "architecture"],
    [comm, "", "task"],
    [task.cpu === undefined ? "" : `CPU ${task.cpu}`, "", "CPU"],
    [kernel.tainted ? `tainted ${kernel.tainted}` : "", "", "taints of the kernel"],
    [report.panicked ? "panicked" : "", "bad", "the kernel panicked"],
    [report.complete === false ? "incomplete" : "", "bad", (report.incomplete ?? []).join(", ")],
    [report.corrupted ? "corrupted" : "", "bad", report.corrupted ?? ""],
    [report.occurrence ? `occurrence ${report.occurrence}` : "", "", "the number in a row of equal reports"],
  ];
  const shown = tags.filter(([text]) => text);
  return el("header", {class: "head"}, el("h2", {}, report.title),
    el("p", {class: "tags"}, shown.map(([text, kind, title]) => { const node = tag(text, kind); node.title = title; return node; })));
}

/// What happened, and the facts that say so.
export function answer(report: Report): HTMLElement | null {
  const {diagnosis, explanation, blame} = report;
  const said = [report.message, report.headline].find(text => text && text !== report.title);
  const why = (diagnosis?.why ?? []).map(fact => el("li", {}, from(el("span", {}, fact.text),
    {lines: fact.line ? [fact.line] : []}), fact.line ? mute(`  line ${fact.line}`) : null));
  const place = blame?.file ? ` ${blame.file}${blame.line ? ":" + blame.line : ""}` : "";
  return facts([
    ["Message", said ? from(el("span", {}, said), {all: [said]}) : ""],
    ["At", report.location ? code(`${report.location.file}:${report.location.line}`) : ""],
    ["Diagnosis", diagnosis ? [el("strong", {}, diagnosis.summary), sure(diagnosis.confidence), why.length ? el("ul", {}, why) : null] : ""],
    ["Trap", explanation && explanation.summary !== diagnosis?.summary ? [explanation.summary, sure(explanation.confidence)] : ""],
    ["Blame", blame ? [code(blame.function), mute(`${place}: ${blame.why}`)] : ""],
    ["Then", (report.consequences ?? []).map(title => el("div", {}, title))],
    ["Also called", (report.alt_titles ?? []).map(title => el("div", {}, title))],
  ]);
}
const sure = (confidence?: string) => confidence === "likely" ? mute("  (likely)") : null;

export function suspects(report: Report): HTMLElement | null {
  const rows = (report.suspects ?? []).map(one => line(cell("fit num", percent(one.probability)), cell("fit", bar(one.probability)),
    cell("name", named(one.function), one.file ? el("div", {class: "mute mono"}, one.file) : null),
    cell("", one.why, one.subsystem ? el("div", {class: "mute"}, [one.subsystem, ...(one.lists ?? [])].join(" · ")) : null)));
  return section("Suspects", "where a fix most likely changes the code", table([">chance", ">.bar", "function", "why"], rows, "stacked"));
}

export function instructions(report: Report): HTMLElement | null {
  const list = report.code?.instructions ?? [];
  const steps = new Map((report.explanation?.steps ?? []).map(step => [step.offset, step.means]));
  const trap = list.find(one => one.trapping)?.offset ?? report.code?.trap_offset ?? 0;
  const rows = list.map(one => {
    const means = steps.get(one.offset);
    const distance = one.offset - trap;
    const offset = distance === 0 ? "0" : (distance > 0 ? "+" : "−") + hex(Math.abs(distance));
    return el("tr", {class: one.trapping ? "trap" : means ? "step" : ""},
      cell("fit num mute mono", offset),
      cell("fit", one.trapping ? el("span", {class: "arrow"}, "▶", el("span", {class: "unseen"}, "traps here")) : ""),
      cell("mono asm", instruction(one.text, report.registers ?? {})),
      cell("mute", one.trapping ? report.explanation?.summary ?? "" : means ?? ""));
  });
  const grid = table([">.offset", ".trap", ".instruction", ".meaning"], rows, "stacked listing");
  if (grid) from(grid, {all: ["Code:"]}).setAttribute("aria-label", "Instructions around the trap");
  return section("Code", report.code?.arch, grid);
}

/// The text of an instruction whose registers can be pointed at.
function instruction(text: string, registers: Record<string, string>): Child[] {
  return text.split(/(%?[a-z][a-z0-9_]*)/).map(word => {
    const name = full(word.replace("%", ""), registers);
    return name ? el("span", {class: "reg", "data-register": name}, word) : word;
  });
}

/// The register of a dump that holds a part of it: `rax` of `%al`, `x1` of `w1`.
function full(name: string, registers: Record<string, string>): string {
  const wide = name.replace(/^e?([abcd])[xlh]$/, "r$1x").replace(/^e?([sd]i|[sb]p)l?$/, "r$1").replace(/^(r\d+)[bwd]$/, "$1").replace(/^w(\d+)$/, "x$1");
  return [name, wide, wide.replace(/^r(..)$/, "e$1"), wide.replace(/^x(\d)$/, "x0$1")].find(one => one in registers) ?? "";
}

export function registers(report: Report, meanings: Meaning[]): HTMLElement | null {
  const all = Object.entries(report.registers ?? {});
  const means = new Map(meanings.map(one => [one.name, one]));
  const items = all.map(([name, value]) => {
    const found = means.get(name);
    // A small number is a NULL pointer only where it was used as a pointer.
    const bad = found && (["poison", "err-ptr", "ascii"].includes(found.class) || found.class === "null" && report.explanation?.pointer?.register === name);
    return from(el("span", {class: "register" + (bad ? " odd" : ""), "data-register": name}, el("b", {}, name), " ", digits(value)), {all: [name, digits(value)]});
  });
  return section("Registers", "point at one for its meaning", items.length ? el("div", {class: "registers"}, items) : null);
}

/// Value, class and origin of a register, in words.
export function registerWords(report: Report, meanings: Meaning[], name: string): Child[] {
  const value = report.registers?.[name];
  if (!value) return [];
  const found = meanings.find(one => one.name === name);
  const {pointer, steps = []} = report.explanation ?? {};
  const origins = steps.filter(step => step.target?.replace("%", "") === name).map(step => step.means);
  if (!origins.length && pointer?.register === name && pointer.origin) origins.push(pointer.origin);
  return [el("b", {}, name), " = ", code(value), found ? el("div", {}, `${found.meaning} (${found.class})`) : null,
    origins.map(text => el("div", {class: "mute"}, text))];
}

export function stacks(report: Report): HTMLElement | null {
  const parts = (report.stacks ?? []).map(stack => {
    const rows = stack.frames.map(frame => frameRow(frame));
    return el("div", {class: "stack"}, el("h4", {}, stack.role), table(["function", "source"], rows, "stacked frames"));
  });
  return section("Stacks", "", parts);
}
function frameRow(frame: Frame): HTMLElement {
  const name = frameName(frame);
  const more = frame.offset === undefined ? "" : name.slice((frame.function ?? "").length);
  const source = frame.file ? frame.file + (frame.line ? ":" + frame.line : "") : "";
  const row = el("tr", {class: frame.reliable === false ? "dim" : frame.exact ? "most" : ""},
    cell("name", named(frame.function ?? frame.address ?? "?"), el("code", {class: "mute"}, more, frame.module ? ` [${frame.module}]` : ""), " ",
      frame.exact ? tag("pc") : null, frame.inline ? tag("inline") : null, frame.reliable === false ? tag("unreliable") : null),
    cell("mono mute", source));
  return from(row, {all: frame.function ? [frame.inline ? frame.function : name] : []});
}

export function notes(report: Report): HTMLElement | null {
  const {hardware, build_id: build} = report.kernel ?? {};
  const modules = (report.modules ?? []).map(one => one.name + (one.flags ? `(${one.flags})` : ""));
  return section("Notes", "", facts([
    ["Incomplete", (report.incomplete ?? []).join(", ")],
    ["Corrupted", report.corrupted],
    ["Hardware", hardware],
    ["Build ID", build ? code(build) : ""],
    ["Modules", modules.length ? el("details", {}, el("summary", {}, `${modules.length} modules`), modules.join(" ")) : ""],
    ["Not read", (report.diagnostics ?? []).map(one => el("div", {}, `${one.what}: ${one.why}`))],
  ]));
}


export function reportPage(report: Report, meanings: Meaning[], text: string): HTMLElement[] {
  const parts = [head(report), answer(report), suspects(report), instructions(report), registers(report, meanings), stacks(report), notes(report),
    folded("Report as text", text)];
  return parts.filter(part => part !== null);
}
