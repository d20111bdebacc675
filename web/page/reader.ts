// The page that reads logs: what was pasted, dropped, opened or carried by a link goes to a worker, and each report
// that comes back is a tab.

import {Audit, auditPage, comparison} from "./compare.js";
import {button, byId, copy, count, cut, el, plural, visible} from "./dom.js";
import {LogView} from "./log.js";
import {deflate, fromBase64, inflate, toBase64} from "./pack.js";
import type {Answer, Question} from "./protocol.js";
import {Meaning, registerWords, Report, reportPage} from "./report.js";

/// The most bytes of a log that a link carries: mails and trackers cut longer ones.
const MOST_LINKED = 262_144;

/// The most bytes that a link unpacks to.
const MOST_UNPACKED = 16_000_000;

/// The reports that one more click shows.
const MORE = 500;

interface Found { log: number; index: number; name: string; title: string; report?: Report; json: string; text: string; markdown: string; meanings: Meaning[]; audit?: Audit }

const tabs: Found[] = [];
const names = new Map<number, string>(), sizes = new Map<number, number>(), contents = new Map<number, string | Blob>();
let shown = -1, logs = 0, busy = 0, counted = 0, worker: Worker | undefined, module: WebAssembly.Module | undefined, atlas: ArrayBuffer | undefined;
// For scripts and tests: all that was read.
(globalThis as {ksplatReports?: unknown}).ksplatReports = tabs;
const view = new LogView(byId("log"), byId("report"));

// ---- messages
function tell(text: string, good = false) {
  const box = byId("message");
  box.textContent = visible(text);
  box.classList.toggle("good", good);
  box.hidden = text === "";
}

/// Tells that a log has more reports than are shown.
function offer(id: number, shown: number, all: number) {
  const more = (label: string, most: number) => button(label, () => {
    busy++;
    tell("");
    progress("Reading reports …", 0.5);
    ask({what: "more", id, most});
  });
  const name = names.get(id) === "-" ? "The log" : names.get(id)!;
  tell(`${name} has ${count(all)} reports, of which the first ${count(shown)} are shown. `, true);
  const buttons = all - shown > MORE ? [more(`Show ${MORE} more`, MORE), " "] : [];
  byId("message").append(...buttons, more(`Show all ${count(all)}`, all - shown));
}

function progress(text: string, share?: number) {
  const stop = button("Stop", () => halt(), {id: "stop"});
  byId("status").replaceChildren(text, ...(share === undefined ? [] : [" ", el("progress", {max: 1, value: share, "aria-label": text}), " ", stop]));
}

// ---- the worker
function start() {
  const source = byId("worker").textContent ?? "";
  worker = new Worker(URL.createObjectURL(new Blob([source], {type: "text/javascript"})));
  worker.addEventListener("message", ({data}: MessageEvent<Answer>) => answer(data));
  worker.addEventListener("error", event => tell(`The reader of logs failed: ${event.message}`));
  ask({what: "start", module: module!, atlas: atlas!, rare: byId("rare").textContent ?? ""});
}
const ask = (question: Question) => worker?.postMessage(question);

function halt() {
  worker?.terminate();
  busy = 0;
  start();
  progress("");
  // The lines and the signatures of logs that were read are in the worker.
  for (const [id, content] of contents) {
    if (sizes.has(id)) ask({what: "read", id, name: names.get(id) ?? "", content, again: tabs.filter(tab => tab.log === id && tab.report).length});
  }
  tell(`Stopped after ${plural(counted, "report")}. Lines of that log are gone; read it again to see them.`, true);
}

function answer(data: Answer) {
  if (data.what === "ready") {
    // Elements that are shown nowhere: browsers compile what makes them.
    for (const {json, text, registers} of data.reports) reportPage(JSON.parse(json), JSON.parse(registers), text);
    document.body.dataset["ready"] = performance.now().toFixed(0);
  }
  else if (data.what === "progress") {
    if (busy) progress(`${data.doing} … ${Math.round(data.share * 100)} %`, data.share);
  } else if (data.what === "report") {
    const report = JSON.parse(data.json) as Report;
    counted++;
    add({log: data.id, index: data.index, name: names.get(data.id) ?? "", title: report.title, report, json: data.json, text: data.text, markdown: data.markdown, meanings: JSON.parse(data.registers)});
  } else if (data.what === "audit") {
    const audit = JSON.parse(data.json) as Audit;
    add({log: data.id, index: 0, name: names.get(data.id) ?? "", title: "Bisection audit", json: data.json, text: data.text, markdown: data.text, meanings: [], audit});
  } else if (data.what === "done") {
    busy--;
    sizes.set(data.id, data.bytes);
    progress(plural(tabs.length, "report"));
    if (data.reports < data.all) offer(data.id, data.reports, data.all);
    else if (!data.reports && !tabs.some(tab => tab.log === data.id)) tell(`${names.get(data.id)} has no crash report that ksplat knows.`);
    document.body.dataset["done"] = String(data.id);
  } else if (data.what === "failed") {
    busy = Math.max(0, busy - 1);
    progress("");
    tell(/\.$/.test(data.why) ? data.why : data.why + ".");
    document.body.dataset["done"] = String(data.id);
  } else if (data.what === "atlas") {
    busy--;
    progress("");
    sizes.set(data.id, 0);
    tell("The atlas is used for the logs that are read from now on.", true);
  } else if (data.what === "lines") {
    const tab = tabs[shown];
    if (tab?.log === data.id && tab.report?.span.start === data.start) view.show(data.text, data.first, data.own, data.left);
  } else if (data.what === "bytes") void link(data.bytes);
  else if (data.what === "compared") {
    const [one, other] = compared;
    document.querySelector(".same")?.remove();
    const result = comparison(JSON.parse(data.json), one, other);
    byId("actions").after(result);
    result.tabIndex = -1;
    result.focus();
  }
}

// ---- what is read
function read(name: string, content: string | Blob) {
  const id = ++logs;
  names.set(id, name);
  contents.set(id, content);
  counted = 0;
  busy++;
  tell("");
  progress("Reading …", 0);
  ask({what: "read", id, name, content});
}

function readFiles(files: Iterable<File>) {
  for (const file of files) read(file.name, file);
}

function readText(text: string) {
  if (text.trim()) read("-", text);
  else tell("There is no text to read.");
}

// ---- tabs
function add(found: Found) {
  const at = tabs.push(found) - 1;
  const tab = button(cut(found.title, 90), () => show(at), {role: "tab", id: `tab${at}`, "aria-selected": false, "aria-controls": "report", tabindex: -1});
  tab.title = `${visible(found.name)} ${found.report ? "line " + found.report.span.line : ""}: ${visible(found.title)}`;
  byId("tabs").append(tab);
  if (shown < 0 || tabs[shown]?.log !== found.log && found.log === logs && !tabs.slice(0, -1).some(tab => tab.log === found.log)) show(at);
  else choice(found, at);
}

function show(at: number) {
  const tab = tabs[at];
  if (!tab) return;
  shown = at;
  document.body.classList.add("reading");
  byId("start").hidden = true;
  for (const id of ["tabs", "read", "again"]) byId(id).hidden = false;
  for (const node of byId("tabs").children) {
    const is = node.id === `tab${at}`;
    node.setAttribute("aria-selected", String(is));
    (node as HTMLElement).tabIndex = is ? 0 : -1;
  }
  const report = byId("report");
  report.setAttribute("aria-labelledby", `tab${at}`);
  const parts = tab.report ? reportPage(tab.report, tab.meanings, tab.text) : auditPage(tab.audit!, tab.text).filter(part => part instanceof Node);
  report.replaceChildren(...parts);
  report.firstElementChild!.after(actions(tab));
  chooser();
  // With the next frame, which lays the page out once.
  requestAnimationFrame(() => {
    report.scrollTop = 0;
    // The button that had the focus is hidden.
    const {activeElement} = document;
    if (activeElement === document.body || byId("start").contains(activeElement)) byId(`tab${shown}`).focus({preventScroll: true});
  });
  byId("side").hidden = !tab.report;
  view.clear();
  if (tab.report) {
    const {start, end, line} = tab.report.span;
    byId("place").textContent = `  ${visible(tab.name === "-" ? "" : tab.name)} from line ${line}`;
    ask({what: "lines", id: tab.log, start, end, first: line});
  }
}

function actions(tab: Found): HTMLElement {
  const box = el("div", {id: "actions"});
  const markdown = button("Copy as Markdown", () => void copy(tab.markdown, markdown));
  const json = button("Copy JSON", () => void copy(tab.json, json));
  box.append(markdown, json);
  if (tab.report) {
    box.append(button("Copy a link with the log", () => {
      const whole = (sizes.get(tab.log) ?? 0) <= MOST_LINKED;
      const {start, end} = tab.report!.span;
      ask({what: "bytes", id: tab.log, start: whole ? 0 : start, end: whole ? MOST_LINKED : Math.min(end, start + MOST_LINKED)});
    }, {id: "link"}), el("select", {id: "other", "aria-label": "Compare with another report"}));
  }
  return box;
}

// ---- comparing
let compared: [string, string] = ["", ""];
const otherOf = () => document.getElementById("other") as HTMLSelectElement | null;

function chooser() {
  const select = otherOf();
  if (!select) return;
  select.replaceChildren(new Option("Nothing to compare with yet", ""));
  select.disabled = true;
  tabs.forEach(choice);
  select.onchange = () => {
    const one = tabs[shown]!, other = tabs[Number(select.value)];
    if (!select.value || !other) return;
    compared = [one.title, other.title];
    const place = ({log: id, index}: Found) => ({id, index});
    ask({what: "compare", one: place(one), other: place(other)});
  };
}

/// Adds a tab to those that the shown one is compared with.
function choice(tab: Found, at: number) {
  const select = otherOf();
  if (!select || at === shown || !tab.report) return;
  if (select.disabled) select.replaceChildren(new Option("Compare with …", ""));
  select.disabled = false;
  select.append(new Option(visible(cut(`${at + 1}: ${tab.title}`, 80)), String(at)));
}

// ---- links
async function link(bytes: Uint8Array<ArrayBuffer>) {
  const packed = toBase64(new Uint8Array(await deflate(bytes)));
  const address = location.href.split("#")[0] + "#log=" + packed;
  history.replaceState(null, "", "#log=" + packed);
  await copy(address, byId("link"));
}

async function readLink() {
  const packed = /^#log=(.*)$/s.exec(location.hash)?.[1];
  if (packed === undefined) return;
  let text: string;
  try {
    text = new TextDecoder().decode(await inflate(fromBase64(decodeURIComponent(packed)), MOST_UNPACKED));
  } catch {
    return tell("The link is cut off or damaged: its fragment holds no log. Ask for the whole address, or for the log.");
  }
  readText(text);
}

// ---- what registers mean
function tip(event: Event) {
  const node = (event.target as Element).closest?.<HTMLElement>("[data-register]");
  const tab = tabs[shown];
  const box = byId("tip");
  box.hidden = !node || !tab?.report;
  if (!node || !tab?.report) return;
  const words = registerWords(tab.report, tab.meanings, node.dataset["register"]!);
  box.replaceChildren(el("div", {}, words));
  node.setAttribute("aria-describedby", "tip");
  const {left, bottom, top} = node.getBoundingClientRect(), height = box.offsetHeight;
  box.style.left = Math.max(4, Math.min(left, innerWidth - box.offsetWidth - 8)) + "px";
  box.style.top = (bottom + height + 6 > innerHeight ? top - height - 4 : bottom + 4) + "px";
}

// ---- events
function listen() {
  const file = byId<HTMLInputElement>("file"), area = byId<HTMLTextAreaElement>("paste");
  byId("open").addEventListener("click", () => file.click());
  file.addEventListener("change", () => { readFiles(file.files ?? []); file.value = ""; });
  byId("go").addEventListener("click", () => readText(area.value));
  byId("again").addEventListener("click", () => {
    byId("start").hidden = !byId("start").hidden;
    area.value = "";
    area.focus();
  });
  addEventListener("paste", event => {
    const {files} = event.clipboardData ?? {};
    const text = event.clipboardData?.getData("text/plain") ?? "";
    if (files?.length) readFiles(files);
    else if (text) readText(text);
    else return;
    event.preventDefault();
  });
  addEventListener("dragover", event => { event.preventDefault(); document.body.classList.add("dropping"); });
  addEventListener("dragleave", () => document.body.classList.remove("dropping"));
  addEventListener("drop", event => {
    event.preventDefault();
    document.body.classList.remove("dropping");
    if (event.dataTransfer?.files.length) readFiles(event.dataTransfer.files);
    else readText(event.dataTransfer?.getData("text/plain") ?? "");
  });
  byId("tabs").addEventListener("keydown", event => {
    const last = tabs.length - 1;
    const to = {ArrowRight: shown + 1, ArrowLeft: shown - 1, Home: 0, End: last}[event.key];
    if (to === undefined) return;
    show(Math.max(0, Math.min(last, to)));
    byId(`tab${shown}`).focus();
    event.preventDefault();
  });
  for (const name of ["mouseover", "focusin"]) byId("report").addEventListener(name, tip);
  for (const name of ["mouseleave", "focusout"]) byId("report").addEventListener(name, () => { byId("tip").hidden = true; });
  addEventListener("keydown", event => { if (event.key === "Escape") byId("tip").hidden = true; });
  addEventListener("hashchange", () => void readLink());
}

async function run() {
  if (typeof WebAssembly !== "object" || typeof DecompressionStream !== "function") {
    return tell("This browser has no WebAssembly or cannot unpack it: the page needs Firefox 113, Chrome 103, Safari 16.4 or newer, or the program: ksplat parse LOG.");
  }
  const unpacked = (id: string) => inflate(fromBase64(byId(id).textContent ?? ""));
  [module, atlas] = await Promise.all([unpacked("wasm").then(bytes => WebAssembly.compile(bytes)), unpacked("atlas")]);
  start();
  listen();
  await readLink();
  if (location.protocol.startsWith("http")) await navigator.serviceWorker?.register("sw.js").catch(() => undefined);
}

void run().catch(error => tell(`The page cannot start: ${error}`));
