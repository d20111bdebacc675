// Reads logs, apart from the page: a long log leaves the page usable, and is stopped by ending the worker.

import init, * as ksplat from "../dist/bindgen/ksplat_web.js";
import * as rare from "../dist/bindgen/ksplat_rare.js";
import {fromBase64, inflate} from "./pack.js";
import type {Answer, Question, Warmed} from "./protocol.js";
import {WARM} from "./warm.js";

/// The most bytes of a log, packed or not: the memory of a module is 4 GB at most, and a browser's tab has less.
const MOST_BYTES = 256_000_000;

/// The reports of a log that are shown before more are asked for.
const MOST_REPORTS = 500;

/// Lines above and below a report that are shown with it, and the most of its own.
const AROUND = 8, MOST_LINES = 3000;

interface Log { name: string; bytes: Uint8Array<ArrayBuffer>; reports: number }
const logs = new Map<number, Log>();
/// The places of the reports whose signatures the module has, in its order.
const signed: string[] = [];
let ready: Promise<Warmed[]>;

/// How a log begins that is packed by gzip, xz or zstd.
const PACKED = [[0x1f, 0x8b], [0xfd, 0x37, 0x7a, 0x58, 0x5a, 0], [0x28, 0xb5, 0x2f, 0xfd]];

/// Makes the module that few logs need, once.
let makeRare: () => void;

declare global {
  // What the module calls.
  var found: (json: string, text: string, markdown: string, registers: string, end: number) => void;
  var passed: (end: number) => void;
  var decode: (question: Uint8Array) => Uint8Array;
}

const say = (answer: Answer) => postMessage(answer);

/// Reads the log that warms all up, and gives its reports to the page for the same.
function warm(atlas: Uint8Array): Warmed[] {
  ksplat.use_atlas(atlas);
  const reports: Warmed[] = [];
  globalThis.passed = () => undefined;
  globalThis.found = (json, text, _markdown, registers) => {
    signed.push("");
    reports.push({json, text, registers});
  };
  const bytes = ksplat.console(new TextEncoder().encode(WARM));
  ksplat.is_bisection(bytes);
  ksplat.read(bytes, "-", 0, 9);
  ksplat.lines(bytes);
  return reports;
}

/// The bytes of a file, with news of how many were read.
async function bytesOf(file: Blob, id: number): Promise<Uint8Array<ArrayBuffer>> {
  const bytes = new Uint8Array(file.size);
  const reader = file.stream().getReader();
  let at = 0, reported = 0;
  for (;;) {
    const {done, value} = await reader.read();
    if (done) return bytes.subarray(0, at);
    bytes.set(value.subarray(0, bytes.length - at), at);
    at += value.length;
    if (at - reported > 4_000_000) {
      reported = at;
      say({what: "progress", id, doing: "Reading the file", share: at / file.size / 2});
    }
  }
}

async function read({id, name, content, again}: Question & {what: "read"}) {
  // After a stop: the page has the answers already.
  const isAgain = again !== undefined;
  const fail = (why: string) => { if (!isAgain) say({what: "failed", id, why}); };
  const size = typeof content === "string" ? content.length : content.size;
  if (size > MOST_BYTES) {
    return fail(`${name} has ${Math.round(size / 1e6)} MB, and a page can hold ${MOST_BYTES / 1e6}. The program reads it: ksplat parse ${name}`);
  }
  let bytes = typeof content === "string" ? new TextEncoder().encode(content) : await bytesOf(content, id);
  await ready;
  try {
    if (name.endsWith(".atlas")) {
      ksplat.use_atlas(bytes);
      if (!isAgain) say({what: "atlas", id});
      return;
    }
    if (typeof content === "string" && /^\s*\w+:\/\/\S*\?\S*\bzl?=[\d\s]+(&\S*)?\s*$/.test(content)) {
      makeRare();
      bytes = rare.panic_log(content) as Uint8Array<ArrayBuffer>;
    } else {
      if (PACKED.some(magic => magic.every((byte, at) => bytes[at] === byte))) {
        say({what: "progress", id, doing: "Unpacking", share: 0.5});
        makeRare();
        bytes = rare.unpack(bytes, MOST_BYTES) as Uint8Array<ArrayBuffer>;
      }
      bytes = ksplat.console(bytes) as Uint8Array<ArrayBuffer>;
    }
  } catch (error) {
    const why = String((error as Error).message ?? error);
    return fail(/^is an ELF/.test(why) ? `${name} is an ELF file. The program reads kernel images: ksplat symbolize --vmlinux ${name} LOG`
      : `${name} ${why}`);
  }
  logs.set(id, {name, bytes, reports: 0});
  say({what: "progress", id, doing: "Reading reports", share: 0.5});
  if (isAgain) return again ? reports(id, again, true) : undefined;
  const audit = ksplat.is_bisection(bytes) ? {json: ksplat.audit(bytes, name, false), text: ksplat.audit(bytes, name, true)} : undefined;
  if (audit) say({what: "audit", id, ...audit});
  reports(id, MOST_REPORTS);
}

/// Reads the reports of a log behind those that were shown, and counts the others.
function reports(id: number, most: number, isAgain = false) {
  const log = logs.get(id);
  if (!log) return;
  const {name, bytes} = log;
  let reported = 0;
  globalThis.passed = end => {
    if (isAgain || end - reported < 1_000_000) return;
    reported = end;
    say({what: "progress", id, doing: "Reading reports", share: 0.5 + end / bytes.length / 2});
  };
  globalThis.found = (json, text, markdown, registers, end) => {
    signed.push(`${id}/${log.reports}`);
    const index = log.reports++;
    if (!isAgain) say({what: "report", id, index, json, text, markdown, registers});
    globalThis.passed(end);
  };
  const all = ksplat.read(bytes, name, log.reports, most);
  if (!isAgain) say({what: "done", id, bytes: bytes.length, reports: log.reports, all});
}

/// The lines of a report with some around it, and the number of the first.
function lines({id, start, end, first}: Question & {what: "lines"}) {
  const bytes = logs.get(id)?.bytes;
  if (!bytes) return;
  let from = start;
  for (let n = 0; n < AROUND && from > 0; n++) {
    from = from < 2 ? 0 : bytes.lastIndexOf(10, from - 2) + 1;
    first -= 1;
  }
  let to = Math.max(end, from), left = 0;
  for (let at = from, n = 0; at < to; n++) {
    const feed = bytes.indexOf(10, at);
    at = feed < 0 ? bytes.length : feed + 1;
    if (n === MOST_LINES) { left = to - at; to = at; }
  }
  for (let n = 0; n < AROUND && to < bytes.length && !left; n++) {
    const feed = bytes.indexOf(10, to);
    to = feed < 0 ? bytes.length : feed + 1;
  }
  say({what: "lines", id, start, first, own: [start - from, end - from], text: ksplat.lines(bytes.subarray(from, to)), left});
}

/// Logs that are read again after a stop, one after the other: questions about them wait.
let restored: Promise<unknown> = Promise.resolve();

function start({module, atlas, rare: packed}: Question & {what: "start"}) {
  const unpacked = inflate(fromBase64(packed));
  ready = Promise.all([unpacked, init({module_or_path: module})]).then(([bytes]) => {
    let made: unknown;
    makeRare = () => made ??= rare.initSync({module: bytes});
    globalThis.decode = question => {
      makeRare();
      return rare.decode(question);
    };
    return warm(new Uint8Array(atlas));
  });
  void ready.then(reports => say({what: "ready", reports})).catch(error => say({what: "failed", id: 0, why: `The module cannot be loaded: ${error}`}));
}

function answer(data: Exclude<Question, {what: "start" | "read"}>) {
  if (data.what === "more") reports(data.id, data.most);
  else if (data.what === "lines") lines(data);
  else if (data.what === "bytes") {
    const bytes = logs.get(data.id)?.bytes.slice(data.start, data.end);
    if (bytes) say({what: "bytes", id: data.id, bytes});
  } else {
    const [one, other] = [data.one, data.other].map(({id, index}) => signed.indexOf(`${id}/${index}`));
    say({what: "compared", json: ksplat.compare(one!, other!)});
  }
}

addEventListener("message", ({data}: MessageEvent<Question>) => {
  const fail = (error: unknown) => say({what: "failed", id: "id" in data ? data.id : 0, why: String(error)});
  if (data.what === "start") start(data);
  else if (data.what !== "read") void restored.then(() => answer(data)).catch(fail);
  else if (data.again === undefined) void read(data).catch(error => fail(`${data.name} cannot be read: ${error}`));
  else restored = restored.then(() => read(data)).catch(() => undefined);
});
