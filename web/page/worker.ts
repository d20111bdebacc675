// Reads logs, apart from the page: a long log leaves the page usable, and is stopped by ending the worker.

import init, * as ksplat from "../dist/bindgen/ksplat_web.js";
import type {Answer, Question} from "./protocol.js";

/// The most bytes of a log, packed or not: the memory of a module is 4 GB at most, and a browser's tab has less.
const MOST_BYTES = 256_000_000;

/// The most reports of a log that are shown.
const MOST_REPORTS = 500;

/// Lines above and below a report that are shown with it, and the most of its own.
const AROUND = 8, MOST_LINES = 3000;

/// A report that is read before the first one, as browsers compile a function when it is called.
const WARM = `BUG: kernel NULL pointer dereference, address: 0000000000000068
#PF: supervisor write access in kernel mode
CPU: 1 PID: 46 Comm: a Not tainted 6.1.0 #1
RIP: 0010:f+0x15/0x20
Code: 48 8b 87 88 00 00 00 <48> 89 50 68 c3
RAX: 0000000000000000 RDX: 00000000fffee1d9 RDI: ffff8df1c28e1b40
CR2: 0000000000000068
Call Trace:
 g+0x1/0x2
 do_syscall_64+0x1/0x2
`;

const logs = new Map<number, Uint8Array>();
let ready: Promise<unknown>;

const say = (answer: Answer) => postMessage(answer);

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

async function read({id, name, content}: Question & {what: "read"}) {
  const fail = (why: string) => say({what: "failed", id, why});
  const size = typeof content === "string" ? content.length : content.size;
  if (size > MOST_BYTES) {
    return fail(`${name} has ${Math.round(size / 1e6)} MB, and a page can hold ${MOST_BYTES / 1e6}. The program reads it: ksplat parse ${name}`);
  }
  let bytes = typeof content === "string" ? new TextEncoder().encode(content) : await bytesOf(content, id);
  await ready;
  try {
    if (name.endsWith(".atlas")) {
      ksplat.use_atlas(bytes);
      return say({what: "atlas", id});
    }
    if (typeof content === "string" && /^\s*\w+:\/\/\S*\?\S*\bzl?=[\d\s]+(&\S*)?\s*$/.test(content)) {
      bytes = ksplat.panic_log(content) as Uint8Array<ArrayBuffer>;
    } else {
      say({what: "progress", id, doing: "Unpacking", share: 0.5});
      bytes = ksplat.console(bytes, MOST_BYTES) as Uint8Array<ArrayBuffer>;
    }
  } catch (error) {
    const why = String((error as Error).message ?? error);
    return fail(/^is an ELF/.test(why) ? `${name} is an ELF file. The program reads kernel images: ksplat symbolize --vmlinux ${name} LOG`
      : `${name} ${why}`);
  }
  logs.set(id, bytes);
  let index = 0;
  (globalThis as any).found = (json: string, text: string, markdown: string, registers: string, end: number) => {
    say({what: "report", id, index: index++, json, text, markdown, registers});
    say({what: "progress", id, doing: "Reading reports", share: 0.5 + end / bytes.length / 2});
  };
  say({what: "progress", id, doing: "Reading reports", share: 0.5});
  const audit = ksplat.is_bisection(bytes) ? {json: ksplat.audit(bytes, name, false), text: ksplat.audit(bytes, name, true)} : undefined;
  if (audit) say({what: "audit", id, ...audit});
  const more = ksplat.read(bytes, name, MOST_REPORTS);
  say({what: "done", id, more, bytes: bytes.length, reports: index});
}

/// The lines of a report with some around it, and the number of the first.
function lines({id, start, end, first}: Question & {what: "lines"}) {
  const bytes = logs.get(id);
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

addEventListener("message", ({data}: MessageEvent<Question>) => {
  try {
    if (data.what === "start") {
      ready = init({module_or_path: data.wasm});
      void ready.then(() => {
        (globalThis as any).found = () => undefined;
        ksplat.read(ksplat.console(new TextEncoder().encode(WARM), MOST_BYTES), "-", 1);
        say({what: "ready"});
      }).catch(error => say({what: "failed", id: 0, why: `The module cannot be loaded: ${error}`}));
    }
    else if (data.what === "read") void read(data).catch(error => say({what: "failed", id: data.id, why: `${data.name} cannot be read: ${error}`}));
    else if (data.what === "lines") lines(data);
    else if (data.what === "bytes") {
      const bytes = logs.get(data.id)?.slice(data.start, data.end);
      if (bytes) say({what: "bytes", id: data.id, bytes});
    } else if (data.what === "compare") say({what: "compared", id: data.id, json: ksplat.compare(data.one, data.other)});
  } catch (error) {
    say({what: "failed", id: "id" in data ? data.id : 0, why: String(error)});
  }
});
