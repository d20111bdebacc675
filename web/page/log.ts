// The lines of a report in its log. What is marked in the report is marked here, and the other way round.

import {el, plural} from "./dom.js";
import {Mention, mentions} from "./report.js";

interface Row { number: number; text: string; lower: string; node: HTMLElement }

export class LogView {
  rows: Row[] = [];
  report: HTMLElement;

  constructor(readonly box: HTMLElement, report: HTMLElement) {
    this.report = report;
    box.addEventListener("click", event => this.pick(event.target as Node));
    box.addEventListener("keydown", event => this.key(event));
    report.addEventListener("click", event => {
      const node = (event.target as Element).closest(".from");
      if (node) this.markLines(node, true);
    });
    report.addEventListener("focusin", event => {
      const node = (event.target as Element).closest(".from");
      if (node) this.markLines(node, true);
    });
    document.addEventListener("selectionchange", () => this.selected());
  }

  show(text: string, first: number, own: [number, number], left: number) {
    let at = 0;
    const encoder = new TextEncoder();
    const lines = text.split("\n");
    if (lines[lines.length - 1] === "") lines.pop();
    this.rows = lines.map((text, i) => {
      const isOwn = at >= own[0] && at < own[1];
      at += encoder.encode(text).length + 1;
      const node = el("div", {class: isOwn ? "row own" : "row"}, el("span", {class: "n", "aria-hidden": "true"}, String(first + i)), el("span", {class: "t"}, text || " "));
      return {number: first + i, text, lower: text.toLowerCase(), node};
    });
    const rest = left > 0 ? el("div", {class: "row mute"}, `… ${plural(left, "more byte")} of the report`) : null;
    this.box.replaceChildren(...this.rows.map(row => row.node), ...(rest ? [rest] : []));
    this.box.scrollTop = 0;
  }

  clear() {
    this.rows = [];
    this.box.replaceChildren();
  }

  private has(row: Row, {lines = [], all = []}: Mention): boolean {
    return lines.includes(row.number) || all.length > 0 && all.every(part => row.lower.includes(part.toLowerCase()));
  }

  private unmark() {
    for (const row of this.rows) row.node.classList.remove("marked");
    for (const node of this.report.querySelectorAll(".marked")) node.classList.remove("marked");
  }

  private markRows(rows: Row[], follow: boolean) {
    for (const row of rows) row.node.classList.add("marked");
    if (follow && rows[0]) this.reveal(rows[0].node, this.box);
  }

  /// Marks the lines that an element of the report comes from.
  markLines(node: Element, follow: boolean) {
    const mention = mentions.get(node);
    if (!mention) return;
    this.unmark();
    node.classList.add("marked");
    this.markRows(this.rows.filter(row => this.has(row, mention)), follow);
  }

  /// Marks the parts of the report that come from a line.
  private pick(target: Node) {
    const row = this.rows.find(row => row.node.contains(target));
    if (row && getSelection()?.isCollapsed !== false) this.markParts([row]);
  }

  private markParts(rows: Row[]) {
    this.unmark();
    this.markRows(rows, false);
    const parts = [...this.report.querySelectorAll(".from")].filter(node => rows.some(row => this.has(row, mentions.get(node) ?? {})));
    for (const part of parts) part.classList.add("marked");
    if (parts[0]) this.reveal(parts[0] as HTMLElement, this.report);
  }

  private reveal(node: HTMLElement, box: HTMLElement) {
    const inner = node.getBoundingClientRect(), outer = box.getBoundingClientRect();
    if (box.scrollHeight > box.clientHeight + 2 && (inner.top < outer.top || inner.bottom > outer.bottom)) box.scrollTop += inner.top - outer.top - outer.height / 3;
  }

  /// The text that a reader selected, in the report or in the log, is marked in the other.
  private selected() {
    const selection = getSelection();
    const text = selection?.toString().trim() ?? "";
    if (!selection || selection.isCollapsed || text.length < 3) return;
    if (this.box.contains(selection.anchorNode)) {
      this.markParts(this.rows.filter(row => selection.containsNode(row.node, true)));
    } else if (this.report.contains(selection.anchorNode)) {
      const node = (selection.anchorNode?.parentElement)?.closest(".from");
      const words = text.split("\n")[0]!.trim();
      const rows = this.rows.filter(row => this.has(row, {all: [words]}));
      if (rows.length) { this.unmark(); this.markRows(rows, true); }
      else if (node) this.markLines(node, true);
    }
  }

  /// Arrow keys move the mark from line to line.
  private key(event: KeyboardEvent) {
    const step = event.key === "ArrowDown" ? 1 : event.key === "ArrowUp" ? -1 : 0;
    if (!step || !this.rows.length) return;
    const at = this.rows.findIndex(row => row.node.classList.contains("marked"));
    const row = this.rows[Math.max(0, Math.min(this.rows.length - 1, at + step))];
    if (!row) return;
    this.markParts([row]);
    this.reveal(row.node, this.box);
    event.preventDefault();
  }
}
