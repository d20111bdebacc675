// The bugs of a page: `src/output/html.rs` writes them. The list is read at once, what is shown of an open bug when it is
// opened.

import type {Report} from "./report.js";
import {inWords} from "./evidence.js";

export const list = <T>(some: T[] | undefined): T[] => Array.isArray(some) ? some : [];
export const text = (some: unknown): string => some === null || some === undefined ? "" : String(some);
export const num = (some: unknown, other = 0): number => Number.isFinite(some) ? some as number : other;
export const clamp = (x: number, low: number, high: number) => Math.max(low, Math.min(high, x));
export const range = (a: string, b: string) => a === b || !b ? a : a + " – " + b;
export const sum = <T>(items: T[], value: (item: T) => number) => items.reduce((total, item) => total + value(item), 0);
export const score = (some: unknown) => Number.isFinite(some) ? (some as number).toFixed(2) : "";

export interface Member { file: string; index: number; line: number; release: string; seen: string; title: string }
export interface Decision { date: string; what: string; by?: string; why?: string }
export interface SharedFrame { function: string; inline?: boolean; class: string; source?: string; shared: number }
export interface Link { how: string; evidence: string; count: number; score: number }
export interface Perhaps { id: string; score: number; evidence: string }
type Exemplar = Partial<Report> & {file: string; index: number; line?: number; explanation?: any; frames?: SharedFrame[]};
/// A bug of the list; its releases and days are pairs of a number and a count.
interface Row {
  id: string; title: string; kind: string; count: number; members: number; impact?: {rank?: number; of?: number; name?: string; raised?: string[]};
  subsystem?: string; summary?: string; seen?: {first: string; last: string}; labels?: string[]; releases?: number[]; days?: number[];
}
export interface Data { generated: string; reports: number; files: number; link_base?: string; releases: string[]; days: string[]; bugs: Row[] }

/// What is unpacked when a bug is opened.
interface Packed {
  titles?: {title: string; count: number}[]; kernels?: {release: string; arch?: string; count: number}[]; links?: Link[]; perhaps?: Perhaps[];
  exemplar?: Exemplar; decisions?: Decision[]; members?: [string, number, number, string, string, string][];
}
export interface Details {
  titles: NonNullable<Packed["titles"]>; kernels: NonNullable<Packed["kernels"]>; links: Link[]; perhaps: Perhaps[]; ex: Exemplar; decisions: Decision[]; members: Member[];
}

export interface Bug {
  at: number; id: string; title: string; kind: string; count: number; members: number; subsystem: string; rank: number; of: number; type: string; raised: string[];
  first: string; last: string; days: [string, number][]; releases: [string, number][]; labels: string[]; summary: string; hay: string; details?: Details;
  bins?: {counts: number[]; max: number; label: (i: number) => string; ends: string[]};
}
export interface Neighbour { id: string; link: Perhaps; bug: Bug | undefined }

// 6.1.0-rc3 is older than 6.1.0, which is older than 6.1.0-5-amd64: "-zz" after a final version sorts behind "-rc".
const releaseKey = (release: string) => release.replace(/^v/, "").replace(/^(\d[\d.]*)(?![\d.]|-rc)/, "$1-zz");
const oldestFirst = new Intl.Collator("en", {numeric: true}).compare;
const isDate = (seen: string) => /^\d{4}-\d\d-\d\d$/.test(seen) && !Number.isNaN(Date.parse(seen));

function pairs(names: string[], flat: number[] | undefined): [string, number][] {
  const found: [string, number][] = [];
  for (let i = 0; i + 1 < list(flat).length; i += 2) found.push([names[flat![i]!] ?? "", flat![i + 1]!]);
  return found;
}

function prepare(row: Row, at: number, data: Data): Bug {
  const impact = row.impact ?? {}, days = pairs(data.days, row.days), title = text(row.title) || "(no title)", id = text(row.id) || "#" + at;
  return {
    at, id, title, kind: text(row.kind), count: num(row.count, row.members), members: num(row.members), subsystem: text(row.subsystem),
    rank: num(impact.rank, Infinity), of: num(impact.of), type: text(impact.name), raised: list(impact.raised).map(text),
    first: text(row.seen?.first).slice(0, 10) || days[0]?.[0] || "", last: text(row.seen?.last).slice(0, 10) || days[days.length - 1]?.[0] || "", days,
    releases: pairs(data.releases, row.releases), labels: list(row.labels).map(text), summary: text(row.summary),
    // Until the words of all bugs are unpacked.
    hay: (id + "\n" + title).toLowerCase(),
  };
}

function unpack(line: string | undefined): Details {
  const packed = JSON.parse(line || "{}") as Packed;
  const members = list(packed.members).map(([file, index, line, release, seen, title]) => ({file, index, line, release, seen, title}));
  return {titles: list(packed.titles), kernels: list(packed.kernels), links: list(packed.links), perhaps: list(packed.perhaps), ex: packed.exemplar ?? {file: "", index: 0},
    decisions: list(packed.decisions), members};
}

/// All bugs, what is near each, and the axes of time.
export class Triage {
  readonly byId = new Map<string, Bug>();
  readonly bugs: Bug[];
  readonly axis = {releases: [] as string[], place: new Map<string, number>(), first: "", last: "", by: ""};
  private lines: string[] = [];

  constructor(readonly data: Data) {
    data.days = list(data.days).map(day => isDate(day) ? day : "");
    this.bugs = list(data.bugs).map((row, at) => prepare(row, at, data));
    const {axis} = this, days = data.days.filter(Boolean).sort();
    for (const bug of this.bugs) this.byId.set(bug.id, bug);
    axis.first = days[0] ?? "";
    axis.last = days[days.length - 1] ?? "";
    axis.releases = [...list(data.releases)].sort((a, b) => oldestFirst(releaseKey(a), releaseKey(b)));
    axis.releases.forEach((release, i) => axis.place.set(release, i));
    // One axis for all rows, so that they can be compared; a few dated reports must not empty the rows of all others.
    const dated = sum(this.bugs, bug => sum(bug.days, ([, count]) => count));
    if (axis.first < axis.last && dated * 2 > sum(this.bugs, bug => bug.members)) axis.by = "date";
    else if (axis.releases.length > 1) axis.by = "release";
  }

  /// Takes what was packed: a line of each bug.
  setDetails(lines: string) { this.lines = lines.split("\n"); }
  setWords(lines: string) {
    lines.split("\n").forEach((words, at) => { const bug = this.bugs[at]; if (bug) bug.hay = words; });
  }

  details(bug: Bug): Details { return bug.details ??= unpack(this.lines[bug.at]); }

  neighbours(bug: Bug): Neighbour[] {
    return this.details(bug).perhaps.map(link => ({id: text(link.id), link, bug: this.byId.get(text(link.id))}));
  }

  /// The address of a report's log, if a base of addresses was given that is one of the web or of files.
  address(file: string, line: number): string {
    const base = text(this.data.link_base);
    if (!base || /^\s*(?!https?:|file:)[a-z][a-z0-9+.-]*:/i.test(base)) return "";
    const path = file.split("/").map(encodeURIComponent).join("/");
    if (base.includes("{file}")) return base.replaceAll("{file}", path).replaceAll("{line}", String(line || 1));
    return base.replace(/\/?$/, "/") + path + (line ? "#L" + line : "");
  }
}

const LEVELS = ["critical", "severe", "moderate", "minor", "low"];

/// One of five levels, the worst first; -1 without a rank.
export const levelOf = (bug: Bug) => bug.rank === Infinity ? -1 : clamp(Math.floor(bug.rank * 5 / (bug.of || bug.rank * 2 + 1)), 0, 4);
export const level = (bug: Bug) => levelOf(bug) < 0 ? "unranked" : "sev" + levelOf(bug);
export const severity = (bug: Bug) => LEVELS[levelOf(bug)] ?? "unranked";
export const LEVEL_NAMES = LEVELS;

/// What the severity rests on, in words.
export function because(bug: Bug): string {
  const type = bug.type.toLowerCase().replace(/[-_]/g, " ").replace(/^(k[amc]+san) /, (word: string) => word.toUpperCase());
  const raised = bug.raised.length ? "raised by: " + bug.raised.join(", ") : "";
  return [bug.type ? type : "no type that has a rank", raised].filter(Boolean).join("; ");
}

// ---- the selection as text
const csvCell = (some: unknown) => {
  // A spreadsheet takes these first characters for a formula.
  const value = text(some).replace(/^[=+\-@\t\r]/, "'$&");
  return /[",\n\r]/.test(value) ? `"${value.replace(/"/g, '""')}"` : value;
};
export function csv(bugs: Bug[], triage: Triage): string {
  const head = ["id", "severity", "raised by", "title", "diagnosis", "reports", "subsystem", "suspect", "first seen", "last seen", "kernels", "labels", "file"];
  const rows = bugs.map(bug => {
    const {ex} = triage.details(bug);
    return [bug.id, severity(bug), bug.raised.join("; "), bug.title, bug.summary, bug.count, bug.subsystem, ex.suspects?.[0]?.function, bug.first, bug.last,
      bug.releases.map(([name]) => name).join(" "), bug.labels.join("; "), ex.file];
  });
  return [head, ...rows].map(row => row.map(csvCell).join(",") + "\r\n").join("");
}

const escaped = (some: string) => some.replace(/[\\`*_[\]<>#|~@!]/g, "\\$&").replace(/\s+/g, " ");
export function markdown(bugs: Bug[], triage: Triage): string {
  return bugs.map(bug => {
    const {ex} = triage.details(bug), address = triage.address(ex.file, num(ex.line));
    const suspects = list(ex.suspects).slice(0, 3).map(one => escaped(one.function)).join(", ");
    const facts: [string, string][] = [["severity", `${severity(bug)} (${because(bug)})`], ["diagnosis", bug.summary], ["suspects", suspects], ["subsystem", bug.subsystem],
      ["reports", `${bug.count}${bug.first ? `, seen ${range(bug.first, bug.last)}` : ""}`], ["kernels", range(bug.releases[0]?.[0] ?? "", bug.releases[bug.releases.length - 1]?.[0] ?? "")],
      ["labels", bug.labels.join(", ")], ["perhaps the same", triage.neighbours(bug).slice(0, 3).map(near => `${near.bug?.title ?? near.id} (${inWords(near.link.evidence)})`).join("; ")]];
    const lines = facts.filter(([, value]) => value).map(([name, value]) => `- ${name}: ${name === "suspects" ? value : escaped(value)}\n`).join("");
    return `### ${escaped(bug.title)}\n\n${lines}- log: ${address ? `<${address}>` : escaped(ex.file)}\n- id: ${bug.id}\n`;
  }).join("\n");
}
