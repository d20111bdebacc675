// The page of bugs that `ksplat cluster --html` writes: a list, and beside it the bug that is open.

import {because, Bug, csv, Data, level, LEVEL_NAMES, levelOf, list, markdown, num, range, score, severity, sum, text, Triage} from "./bugs.js";
import {chart, graph, spark} from "./charts.js";
import {bar, button, byId, cell, Child, code, copy, count, cut, el, facts, fill, folded, line, mute, named, plural, save, section, table, tag, visible} from "./dom.js";
import {inWords, linkWords} from "./evidence.js";
import {fromBase64, inflate} from "./pack.js";
import {answer, Report, suspects} from "./report.js";
import type {Decision, Details, Member} from "./bugs.js";

const ROW = 44, HEAD = 26, MEMBERS = 200, PRINTED = 2000;
const CONTROLS = ["q", "kind", "subsystem", "kernel", "label", "impact", "since", "until", "sort"] as const;
const KEYS = [...CONTROLS, "bug"] as const;
type State = Record<typeof KEYS[number], string>;
const state = Object.fromEntries(KEYS.map(key => [key, ""])) as State;

let triage: Triage, shown: Bug[] = [], cursor = 0, texts: Promise<string[]> | undefined, packed = "Unpacking …", whole: Promise<void>;
const orders = new Map<string, Bug[]>();

// ---- filter and sort
const compare = <T>(a: T, b: T) => a < b ? -1 : a > b ? 1 : 0;
const byCount = (a: Bug, b: Bug) => b.count - a.count || compare(a.title, b.title) || compare(a.id, b.id);
const SORTS: Record<string, (a: Bug, b: Bug) => number> = {
  "": (a, b) => compare(a.rank, b.rank) || b.raised.length - a.raised.length,
  reports: byCount,
  seen: (a, b) => compare(b.last, a.last),
  title: (a, b) => compare(a.title, b.title),
};
function sorted(sort: string): Bug[] {
  const found = orders.get(sort) ?? [...triage.bugs].sort((a, b) => SORTS[sort]!(a, b) || byCount(a, b));
  orders.set(sort, found);
  return found;
}
function refilter() {
  const start = performance.now(), words = state.q.toLowerCase().split(/\s+/).filter(Boolean), worst = state.impact === "" ? NaN : Number(state.impact);
  const isSeen = (bug: Bug) => (!state.since || bug.last >= state.since) && (!state.until || bug.first !== "" && bug.first <= state.until);
  shown = sorted(state.sort in SORTS ? state.sort : "").filter(bug => (!state.kind || bug.kind === state.kind) && (!state.subsystem || bug.subsystem === state.subsystem)
    && (!state.kernel || bug.releases.some(([release]) => release === state.kernel)) && (!state.label || bug.labels.some(label => label.split(" ")[0] === state.label)) && isSeen(bug)
    && !(levelOf(bug) < 0 ? !Number.isNaN(worst) : levelOf(bug) > worst) && words.every(word => bug.hay.includes(word)));
  document.body.dataset["filterMs"] = (performance.now() - start).toFixed(1);
  byId("status").textContent = shown.length === triage.bugs.length ? "all shown" : plural(shown.length, "bug") + ", " + plural(sum(shown, bug => bug.count), "report");
}

// ---- the list: only the visible rows exist
const kernelRange = (bug: Bug) => bug.releases.length ? range(bug.releases[0]![0], bug.releases[bug.releases.length - 1]![0]) : "kernel unknown";
function badge(bug: Bug) {
  const node = el("span", {class: "sev " + level(bug)}, severity(bug) + (bug.raised.length ? " ↑" : ""));
  node.title = because(bug);
  return node;
}
/// The title, of which the function at its end is never cut.
function title(bug: Bug) {
  const [, start = "", end = ""] = /^(.*?)( in [^ ]{1,60})?$/s.exec(cut(bug.title, 300)) ?? [];
  return el("b", {title: cut(bug.title, 600)}, el("span", {}, start), end ? el("span", {}, end) : null);
}
function row(bug: Bug, i: number): HTMLElement {
  const when = [el("span", {}, kernelRange(bug)), bug.last ? el("span", {}, bug.first < bug.last ? el("span", {class: "begin"}, bug.first + " – ") : null, bug.last) : null];
  const box = el("div", {class: "row cells" + (i === cursor ? " cursor" : ""), role: "option", id: "row" + i, "data-i": i,
    "aria-selected": String(bug.id === state.bug), "aria-setsize": shown.length, "aria-posinset": i + 1},
    badge(bug),
    el("div", {class: "title"}, title(bug), el("span", {class: "marks"}, bug.labels.map(label => [tag(cut(label, 40), "label"), " "]))),
    el("div", {class: "why"}, cut([bug.summary, bug.subsystem].filter(Boolean).join(" · "), 300)),
    el("div", {class: "when"}, when), spark(triage, bug), el("div", {class: "num"}, count(bug.count)));
  box.style.top = i * ROW + "px";
  return box;
}
function renderRows(all = false) {
  const box = byId("scroll"), rows = byId("rows"), notes = byId("notes"), ahead = 8;
  const from = all ? 0 : Math.max(0, Math.floor(box.scrollTop / ROW) - ahead), to = all ? PRINTED : Math.ceil((box.scrollTop + box.clientHeight) / ROW) + ahead;
  rows.style.height = shown.length * ROW + "px";
  rows.replaceChildren(...shown.slice(from, to).map((bug, i) => row(bug, from + i)));
  if (shown.length && cursor >= from && cursor < to) rows.setAttribute("aria-activedescendant", "row" + cursor);
  else rows.removeAttribute("aria-activedescendant");
  notes.replaceChildren();
  if (all && to < shown.length) notes.append(el("p", {class: "note"}, plural(shown.length - to, "more bug") + " not printed"));
  if (!triage.bugs.length) notes.append(el("p", {class: "note"}, "No bugs: no crash report was found."));
  else if (!shown.length) {
    const clear = button("Clear search and filters", () => change(Object.fromEntries(CONTROLS.map(key => [key, key === "sort" ? state.sort : ""]))));
    notes.append(el("p", {class: "note"}, "No bug matches: every word of the search and every filter must fit."), el("p", {class: "note"}, clear));
  }
}
function reveal(middle = false) {
  const box = byId("scroll"), top = cursor * ROW, room = box.clientHeight - HEAD, above = top < box.scrollTop, below = top + ROW > box.scrollTop + room;
  if (above || below) box.scrollTop = middle ? top - room / 2 : above ? top : top + ROW - room;
}

// ---- one bug: each part is null if it has nothing to show
const place = (member: {file: string; index: number}) => text(member.file) + (member.index ? " #" + member.index : "");
/// A link to a log, or its name where no base of addresses was given.
function logLink(member: {file: string; index: number; line?: number}): Child {
  const address = triage.address(member.file, num(member.line)), name = place(member) + (member.line ? ":" + member.line : "");
  return address ? el("a", {href: address, rel: "noreferrer"}, name) : name;
}
function overview(bug: Bug): HTMLElement | null {
  const decided = (one: Decision) => el("div", {}, text(one.date), " ", text(one.what), one.why ? ": " + text(one.why) : "", one.by ? mute(" (" + text(one.by) + ")") : null);
  const {ex, decisions} = triage.details(bug), many = bug.releases.length, lists = [...new Set(list(ex.suspects).flatMap(one => list(one.lists)))].slice(0, 4);
  return facts([
    ["Severity", [badge(bug), "  ", because(bug)]],
    ["Labels", bug.labels.map(label => [tag(label, "label"), " "])],
    ["Decided", decisions.map(decided)],
    ["Reports", plural(bug.count, "report") + (bug.first ? ", seen " + range(bug.first, bug.last) : "")],
    ["Kernels", many ? kernelRange(bug) + (many > 2 ? " (" + plural(many, "release") + ")" : "") : ""],
    ["Subsystem", bug.subsystem ? [bug.subsystem, lists.length ? el("div", {class: "mute"}, lists.join(", ")) : null] : ""],
    ["Log", logLink(ex)],
    ["Id", [code(bug.id), mute("  kind " + bug.kind)]],
  ]);
}
/// The exemplar with the parts of a report: what it is, and whom to ask.
function exemplar(bug: Bug): Child[] {
  const {ex} = triage.details(bug), said = ex.explanation as unknown;
  const explanation = typeof said === "string" && said !== text(ex.diagnosis?.summary) && !(ex.blame && said.startsWith(ex.blame.function + ": " + ex.blame.why)) ? {summary: said} : undefined;
  const report = {...ex, title: bug.title, explanation} as unknown as Report;
  return [answer(report), suspects(report)];
}
function wholeText(bug: Bug): HTMLElement | null {
  if (!byId("texts").textContent?.trim()) return null;
  const box = folded("Exemplar report as text", "…");
  box.addEventListener("toggle", async () => {
    texts ??= unpacked("texts").then(json => JSON.parse(json) as string[]);
    const pre = box.querySelector("pre")!;
    try { pre.textContent = visible((await texts)[bug.at] || "The log could not be read again."); }
    catch { pre.textContent = "This browser cannot unpack the texts of reports."; }
  }, {once: true});
  return box;
}
function frame(one: NonNullable<Details["ex"]["frames"]>[number]): HTMLElement {
  const dim = one.class === "generic" || one.class === "dropped", known = Number.isFinite(one.shared);
  return el("tr", {class: dim ? "dim" : one.shared >= .9 ? "most" : ""},
    cell("fit num mute", known ? Math.floor(one.shared * 100 + .001) + "%" : ""), cell("fit", known ? bar(one.shared) : ""),
    cell("name", named(one.function), " ", one.inline ? tag("inline") : null, " ", dim ? tag(one.class) : null), cell("mono mute", text(one.source)));
}
const stack = (bug: Bug) => section("Stack of the exemplar", "and how many of the reports share each function", table([">share", ">.bar", "function", "source"], list(triage.details(bug).ex.frames).map(frame), "stacked"));
function variants(bug: Bug) {
  const rows = triage.details(bug).titles.map(one => line(cell("fit num", count(num(one.count))), cell("fit", bar(one.count / bug.count)), cell("", one.title)));
  return rows.length > 1 ? section("Variants", plural(rows.length, "title"), table([">reports", ">.bar", "title"], rows)) : null;
}
function times(bug: Bug) {
  const {axis} = triage;
  const kernels = triage.details(bug).kernels.map(one => el("div", {}, el("span", {}, one.release), mute(one.arch ?? ""), el("span", {class: "num"}, count(num(one.count)))));
  return section("Time line and kernels", "", axis.first < axis.last && bug.days.length ? chart(triage, bug, "date") : null,
    axis.releases.length > 1 && kernels.length ? chart(triage, bug, "release") : null, kernels.length ? el("div", {class: "kernels"}, kernels) : null);
}
const why = (bug: Bug) => section("Why they belong together", "", table([">links", "rule", "evidence", ">score"], triage.details(bug).links.map(link =>
  line(cell("fit num", count(num(link.count))), cell("fit", tag(linkWords(link.how))), cell("", inWords(link.evidence)), cell("fit num", score(link.score))))));
function linked<T extends Element>(node: T, id: string): T {
  node.setAttribute("href", "#" + new URLSearchParams({bug: id}));
  node.addEventListener("click", event => {
    const {ctrlKey, metaKey, shiftKey} = event as MouseEvent;
    if (ctrlKey || metaKey || shiftKey) return;
    event.preventDefault();
    select(id, true);
    byId("detail").focus({preventScroll: true});
  });
  return node;
}
const perhaps = (bug: Bug) => section("Perhaps the same", "", table([">probability", ">reports", "bug", "evidence"], triage.neighbours(bug).map(near =>
  line(cell("fit num", score(near.link.score)), cell("fit num", near.bug ? count(near.bug.count) : ""),
    cell("", near.bug ? linked(el("a", {}, cut(near.bug.title, 150)), near.id) : near.id + " (not in this report)"), cell("mute", inWords(near.link.evidence)))), "stacked"));
function members(bug: Bug) {
  // A column without values is left out.
  const {members} = triage.details(bug), has = (value: (member: Member) => string) => members.some(one => value(one) !== "");
  const columns: [string, string, (one: Member) => Child, boolean][] = [
    ["seen", "seen", one => one.seen.slice(0, 10), has(one => one.seen)],
    ["kernel", "", one => cut(one.release, 40), has(one => one.release)],
    ["log", "mono", logLink, true],
    ["title, if another", "mute", one => one.title, has(one => one.title)],
  ];
  const used = columns.filter(([, , , isUsed]) => isUsed);
  const member = (one: Member) => line(used.map(([, kind, value]) => cell(kind, value(one))));
  const grid = table(used.map(([name]) => name), members.slice(0, MEMBERS).map(member)), rest = members.slice(MEMBERS);
  const more = button("Show all " + count(members.length), () => { grid?.querySelector("tbody")?.append(...rest.map(member)); more.remove(); });
  return section("Reports", plural(members.length, "report"), grid, rest.length ? more : null);
}
function renderDetail() {
  const box = byId("detail"), bug = triage.byId.get(state.bug), close = button("✕", () => select("", true), {title: "Close (Escape)", "aria-label": "Close"});
  const link = button("Copy link", () => void copy(location.href.split("#")[0] + "#" + new URLSearchParams({bug: state.bug}), link));
  document.body.classList.toggle("open", state.bug !== "");
  box.hidden = state.bug === "";
  const parts: Child[] = bug && packed ? [el("p", {class: "note"}, packed)] : bug ? [overview(bug), exemplar(bug), wholeText(bug), stack(bug), variants(bug), times(bug), why(bug), perhaps(bug),
    graph(triage, bug, linked), members(bug)] : [];
  box.replaceChildren(el("div", {class: "head"}, el("h2", {}, bug ? bug.title : state.bug ? `The bug ${state.bug} is not in this report.` : ""), el("span", {}, link, " ", close)),
    ...parts.flat(9 as 0).filter(part => part instanceof Node));
  box.scrollTop = 0;
}

// ---- what is packed
const unpacked = (id: string) => inflate(fromBase64(byId(id).textContent!)).then(bytes => new TextDecoder().decode(bytes));
async function unpackAll() {
  triage.setDetails(await unpacked("details"));
  packed = "";
  if (state.bug) renderDetail();
  triage.setWords(await unpacked("words"));
  if (state.q) { refilter(); renderRows(); }
  for (const sort of Object.keys(SORTS)) sorted(sort);
  document.body.dataset["wholeMs"] = performance.now().toFixed(0);
}

// ---- state (kept in location.hash, so that a link can be shared) and events
function writeHash(push: boolean) {
  const hash = "#" + new URLSearchParams(KEYS.filter(key => state[key]).map(key => [key, state[key]]));
  // Some browsers refuse many calls in a short time; the next one writes the whole state again.
  try { history[push ? "pushState" : "replaceState"](null, "", hash); } catch { /* the state is on the page */ }
}
const addOptions = (id: string, pairs: [string, string][]) => byId(id).append(...pairs.map(([value, label]) => new Option(visible(cut(label, 60)), value)));
function showControls() {
  for (const key of CONTROLS) {
    const control = byId<HTMLInputElement | HTMLSelectElement>(key);
    if (control instanceof HTMLSelectElement && ![...control.options].some(option => option.value === state[key])) addOptions(key, [[state[key], cut(state[key], 35) + " (not in this report)"]]);
    control.value = state[key];
  }
}
function change(some: Partial<State>) {
  Object.assign(state, some);
  cursor = byId("scroll").scrollTop = 0;
  showControls();
  const start = performance.now();
  refilter();
  renderRows();
  document.body.dataset["shownMs"] = (performance.now() - start).toFixed(1);
  writeHash(false);
}
function restore() {
  const given = new URLSearchParams(location.hash.slice(1));
  for (const key of KEYS) state[key] = given.get(key) ?? "";
  showControls();
  refilter();
  renderDetail();
  cursor = Math.max(0, shown.findIndex(bug => bug.id === state.bug));
  renderRows();
  reveal(true);
}
function select(id: string, push: boolean) {
  const at = shown.findIndex(bug => bug.id === id), other = id !== state.bug;
  if (at >= 0) cursor = at;
  state.bug = id;
  renderDetail();
  reveal();
  renderRows();
  writeHash(push && other);
}
function move(to: number) {
  cursor = Math.max(0, Math.min(shown.length - 1, to));
  if (state.bug) select(shown[cursor]!.id, false);
  else { reveal(); renderRows(); }
}
function openBug(i: number) {
  select(shown[i]!.id, true);
  if (matchMedia("(max-width: 900px)").matches) byId("detail").scrollIntoView();
}
function listKey(event: KeyboardEvent) {
  const page = Math.max(1, Math.floor(byId("scroll").clientHeight / ROW) - 1), last = shown.length - 1;
  const steps: Record<string, number> = {ArrowDown: cursor + 1, j: cursor + 1, ArrowUp: cursor - 1, k: cursor - 1, PageDown: cursor + page, PageUp: cursor - page, Home: 0, End: last};
  if (event.ctrlKey || event.metaKey || event.altKey || !shown.length) return;
  if (event.key in steps) move(steps[event.key]!);
  else if (event.key === "Enter" || event.key === " ") { openBug(cursor); byId("detail").focus({preventScroll: true}); }
  else return;
  event.preventDefault();
}
function pageKey(event: KeyboardEvent) {
  const typing = /^(INPUT|SELECT)$/.test((event.target as Element).tagName);
  if (event.key === "/" && !typing) { byId<HTMLInputElement>("q").select(); event.preventDefault(); }
  if (event.key === "ArrowDown" && event.target === byId("q")) { byId("rows").focus(); event.preventDefault(); }
  if (event.key === "Escape" && !typing && state.bug) { select("", true); byId("rows").focus(); }
}
const counted = (names: string[]): [string, string][] => {
  const all = new Map<string, number>();
  for (const name of names) if (name) all.set(name, (all.get(name) ?? 0) + 1);
  return [...all].sort(([a], [b]) => compare(a, b)).map(([name, n]) => [name, `${name} (${n})`]);
};
function setUp({generated, reports}: Data) {
  const {bugs, axis} = triage;
  addOptions("kind", counted(bugs.map(bug => bug.kind)));
  addOptions("subsystem", counted(bugs.map(bug => bug.subsystem)));
  addOptions("label", counted(bugs.flatMap(bug => [...new Set(bug.labels.map(label => label.split(" ")[0]!))])));
  addOptions("kernel", [...axis.releases].reverse().map(release => [release, release]));
  addOptions("impact", LEVEL_NAMES.map((name, i) => [String(i), i ? name + " or worse" : name] as [string, string]).filter(([i]) => bugs.some(bug => levelOf(bug) === Number(i))));
  for (const id of ["since", "until"]) byId(id).closest("label")!.hidden = !axis.first;
  byId("label").closest("label")!.hidden = !bugs.some(bug => bug.labels.length);
  byId("export").append(
    button("CSV", () => void whole.then(() => save("bugs.csv", "text/csv", csv(shown, triage))), {title: "Save the shown bugs as CSV"}),
    button("Markdown", () => void whole.then(() => save("bugs.md", "text/markdown", markdown(shown, triage))), {title: "Save the shown bugs as Markdown"}));
  const totals: [number, string][] = [[bugs.length, "bug"], [num(reports, sum(bugs, bug => bug.count)), "report"], [axis.releases.length, "kernel"]];
  byId("totals").textContent = totals.map(([n, word]) => plural(n, word)).join("  ·  ");
  byId("generated").textContent = visible(generated);
  if (!axis.first) byId("whenhead").textContent = "Kernels";
  // Months, or days of one month.
  const isMonth = axis.first.slice(0, 7) === axis.last.slice(0, 7), part = (date: string) => isMonth ? date.slice(5) : date.slice(0, 7);
  const ends = axis.by === "date" ? [part(axis.first), part(axis.last)] : axis.by ? [axis.releases[0]!, axis.releases[axis.releases.length - 1]!] : [];
  fill(byId("axis"), {title: "reports by " + axis.by}, ends.map(end => el("span", {}, cut(end, 16))));
}
function listen() {
  let asked = 0;
  const soon = () => { cancelAnimationFrame(asked); asked = requestAnimationFrame(() => renderRows()); };
  for (const key of CONTROLS) byId(key).addEventListener("input", () => change({[key]: byId<HTMLInputElement>(key).value}));
  byId("scroll").addEventListener("scroll", soon, {passive: true});
  new ResizeObserver(soon).observe(byId("scroll"));
  byId("rows").addEventListener("click", event => { const hit = (event.target as Element).closest<HTMLElement>(".row"); if (hit) openBug(Number(hit.dataset["i"])); });
  byId("rows").addEventListener("keydown", listKey);
  addEventListener("keydown", pageKey);
  addEventListener("hashchange", restore);
  addEventListener("beforeprint", () => renderRows(true));
  addEventListener("afterprint", () => renderRows());
}
try {
  triage = new Triage(JSON.parse(byId("list").textContent!) as Data);
  setUp(triage.data);
  listen();
  restore();
  document.body.dataset["readyMs"] = performance.now().toFixed(0);
  // What is packed is behind this script, so that the list is shown before it is read.
  whole = new Promise(done => addEventListener("DOMContentLoaded", done)).then(unpackAll).catch(() => {
    packed = "This browser cannot unpack the details of bugs: Firefox 113, Chrome 103, Safari 16.4 or newer is needed.";
    renderDetail();
  });
} catch (error) {
  byId("notes").replaceChildren(el("p", {class: "note"}, "The data of this page cannot be shown: " + error));
}
