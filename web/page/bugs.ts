// The bugs of a page: `src/output/html.rs` writes them.

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
interface Cluster {
  id: string; title: string; kind: string; count: number; subsystem?: string; impact?: {rank?: number; of?: number; name?: string; raised?: string[]};
  titles?: {title: string; count: number}[]; kernels?: {release: string; arch?: string; count: number}[]; links?: Link[]; perhaps?: Perhaps[];
  seen?: {first: string; last: string}; exemplar?: Exemplar; labels?: string[]; decisions?: Decision[]; members?: [string, number, number, string, string, string][];
}
export interface Data { generated: string; reports: number; files: number; link_base?: string; clusters: Cluster[] }

export interface Bug {
  at: number; id: string; title: string; kind: string; count: number; subsystem: string; rank: number; of: number; type: string; raised: string[];
  first: string; last: string; dates: string[]; releases: string[]; kernels: NonNullable<Cluster["kernels"]>; titles: {title: string; count: number}[];
  members: Member[]; labels: string[]; decisions: Decision[]; links: Link[]; ex: Exemplar; hay: string; summary: string;
  bins?: {counts: number[]; max: number; label: (i: number) => string; ends: string[]};
}
export interface Neighbour { id: string; link: Perhaps; bug: Bug | undefined }

// 6.1.0-rc3 is older than 6.1.0, which is older than 6.1.0-5-amd64: "-zz" after a final version sorts behind "-rc".
const releaseKey = (release: string) => release.replace(/^v/, "").replace(/^(\d[\d.]*)(?![\d.]|-rc)/, "$1-zz");
const oldestFirst = new Intl.Collator("en", {numeric: true}).compare;
const dateOf = (seen: string) => /^\d{4}-\d\d-\d\d$/.test(seen) && !Number.isNaN(Date.parse(seen)) ? seen : "";

function prepare(cluster: Cluster, at: number): Bug {
  const ex: Exemplar = cluster.exemplar ?? {file: "", index: 0}, impact = cluster.impact ?? {};
  const members = list(cluster.members).map(([file, index, line, release, seen, title]) => ({file, index, line, release, seen, title}));
  const dates = members.map(member => dateOf(member.seen)).filter(Boolean).sort(), kernels = list(cluster.kernels), labels = list(cluster.labels).map(text);
  const said = typeof ex.explanation === "string" ? ex.explanation : "";
  // What an instruction shows is less than what the kernel says.
  const summary = text(ex.diagnosis?.summary) || said || text(ex.message);
  const bug: Bug = {
    at, id: text(cluster.id) || "#" + at, title: text(cluster.title) || "(no title)", kind: text(cluster.kind), count: num(cluster.count, members.length),
    subsystem: text(cluster.subsystem), rank: num(impact.rank, Infinity), of: num(impact.of), type: text(impact.name), raised: list(impact.raised).map(text),
    first: text(cluster.seen?.first).slice(0, 10) || dates[0] || "", last: text(cluster.seen?.last).slice(0, 10) || dates[dates.length - 1] || "", dates,
    releases: [...new Set(kernels.map(kernel => text(kernel.release)))], kernels, titles: list(cluster.titles), members, labels, decisions: list(cluster.decisions),
    links: list(cluster.links), ex, summary, hay: "",
  };
  const words = [bug.id, bug.title, bug.subsystem, bug.summary, ex.blame?.function, ...labels, ...bug.titles.map(one => one.title), ...list(ex.frames).map(frame => frame.function),
    ...list(ex.suspects).map(one => one.function), ...members.map(member => member.file)];
  bug.hay = words.map(text).join("\n").toLowerCase();
  return bug;
}

/// All bugs, what is near each, and the axes of time.
export class Triage {
  readonly byId = new Map<string, Bug>();
  readonly bugs: Bug[];
  readonly axis = {releases: [] as string[], place: new Map<string, number>(), first: "", last: "", by: ""};
  private readonly near = new Map<string, Map<string, Perhaps>>();

  constructor(readonly data: Data) {
    this.bugs = list(data.clusters).map(prepare);
    const {axis} = this;
    for (const bug of this.bugs) {
      this.byId.set(bug.id, bug);
      const {dates} = bug;
      if (dates[0] && (!axis.first || dates[0] < axis.first)) axis.first = dates[0];
      if ((dates[dates.length - 1] ?? "") > axis.last) axis.last = dates[dates.length - 1]!;
      for (const other of list(data.clusters[bug.at]!.perhaps)) {
        this.addNear(bug.id, text(other.id), other);
        this.addNear(text(other.id), bug.id, other);
      }
    }
    axis.releases = [...new Set(this.bugs.flatMap(bug => bug.releases))].sort((a, b) => oldestFirst(releaseKey(a), releaseKey(b)));
    axis.releases.forEach((release, i) => axis.place.set(release, i));
    // One axis for all rows, so that they can be compared; a few dated reports must not empty the rows of all others.
    if (axis.first < axis.last && sum(this.bugs, bug => bug.dates.length) * 2 > sum(this.bugs, bug => bug.members.length)) axis.by = "date";
    else if (axis.releases.length > 1) axis.by = "release";
  }

  private addNear(from: string, to: string, link: Perhaps) {
    const links = this.near.get(from) ?? new Map<string, Perhaps>();
    if (from !== to && num(links.get(to)?.score, -1) < num(link.score)) links.set(to, link);
    this.near.set(from, links);
  }

  neighbours(bug: Bug): Neighbour[] {
    const all = [...this.near.get(bug.id) ?? []].map(([id, link]) => ({id, link, bug: this.byId.get(id)}));
    return all.sort((a, b) => num(b.link.score) - num(a.link.score));
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
export function csv(bugs: Bug[]): string {
  const head = ["id", "severity", "raised by", "title", "diagnosis", "reports", "subsystem", "suspect", "first seen", "last seen", "kernels", "labels", "file"];
  const rows = bugs.map(bug => [bug.id, severity(bug), bug.raised.join("; "), bug.title, bug.summary, bug.count, bug.subsystem, bug.ex.suspects?.[0]?.function, bug.first, bug.last,
    bug.releases.join(" "), bug.labels.join("; "), bug.ex.file]);
  return [head, ...rows].map(row => row.map(csvCell).join(",") + "\r\n").join("");
}

const escaped = (some: string) => some.replace(/[\\`*_[\]<>#|~@!]/g, "\\$&").replace(/\s+/g, " ");
export function markdown(bugs: Bug[], triage: Triage): string {
  return bugs.map(bug => {
    const address = triage.address(bug.ex.file, num(bug.ex.line));
    const suspects = list(bug.ex.suspects).slice(0, 3).map(one => escaped(one.function)).join(", ");
    const facts: [string, string][] = [["severity", `${severity(bug)} (${because(bug)})`], ["diagnosis", bug.summary], ["suspects", suspects], ["subsystem", bug.subsystem],
      ["reports", `${bug.count}${bug.first ? `, seen ${range(bug.first, bug.last)}` : ""}`], ["kernels", range(bug.releases[0] ?? "", bug.releases[bug.releases.length - 1] ?? "")],
      ["labels", bug.labels.join(", ")], ["perhaps the same", triage.neighbours(bug).slice(0, 3).map(near => `${near.bug?.title ?? near.id} (${inWords(near.link.evidence)})`).join("; ")]];
    const lines = facts.filter(([, value]) => value).map(([name, value]) => `- ${name}: ${name === "suspects" ? value : escaped(value)}\n`).join("");
    return `### ${escaped(bug.title)}\n\n${lines}- log: ${address ? `<${address}>` : escaped(bug.ex.file)}\n- id: ${bug.id}\n`;
  }).join("\n");
}
