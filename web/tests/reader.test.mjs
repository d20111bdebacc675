// The page that reads logs.

import assert from "node:assert/strict";
import {spawnSync} from "node:child_process";
import {createServer} from "node:http";
import {closeSync, ftruncateSync, openSync, readFileSync, readdirSync} from "node:fs";
import {basename, dirname, join} from "node:path";
import {after, test} from "node:test";
import {deflateSync, gzipSync} from "node:zlib";
import {end, file, finish, ksplat, message, open, openReader, paste, read, reader, root} from "./browser.mjs";

after(end);
const corpus = join(root, "corpus");
const oops = join(corpus, "gpf/io-queue-sqe.log");

/// The reports of a log, as the program prints them.
const printed = path => ksplat(["parse", "--format", "jsonl", basename(path)], {cwd: dirname(path)}).split("\n").filter(Boolean);

test("every log of the corpus has the program's answer", async () => {
  const page = await openReader();
  const logs = readdirSync(corpus, {recursive: true}).filter(name => name.endsWith(".log"));
  assert.ok(logs.length > 200);
  for (const log of logs) {
    const path = join(corpus, log);
    const before = await page.evaluate(() => ksplatReports.length);
    await read(page, path);
    const found = await page.evaluate(from => ksplatReports.slice(from).filter(tab => tab.report).map(tab => tab.json), before);
    assert.deepEqual(found, printed(path), log);
  }
  await finish(page);
});

test("a log of many reports is shown in parts", async () => {
  const page = await openReader();
  const report = readFileSync(oops, "utf8").trim() + "\n";
  const path = file("many.log", Array.from({length: 1203}, (_, i) => report.replaceAll("io_queue_sqe", "io_queue_sqe" + "abcdefghij"[i % 10])).join("[   1.0] a line\n"));
  const all = printed(path);
  assert.equal(all.length, 1203);
  assert.equal((await read(page, path)).length, 500);
  assert.match(await message(page), /many.log has 1,203 reports, of which the first 500 are shown/);
  const more = async label => {
    await page.evaluate(() => { delete document.body.dataset.done; });
    await page.getByRole("button", {name: label}).click();
    await page.waitForSelector("body[data-done]");
    return page.evaluate(() => ksplatReports.map(tab => tab.json));
  };
  assert.equal((await more("Show 500 more")).length, 1000);
  assert.match(await message(page), /the first 1,000 are shown/);
  assert.deepEqual(await more("Show all 1,203"), all);
  assert.equal(await page.locator("[role=tab]").count(), 1203);
  assert.ok(await page.locator("#message").isHidden());
  await finish(page);
});

test("a packed log is read as it is", async () => {
  const page = await openReader();
  const text = readFileSync(oops);
  const pack = (program, ...args) => spawnSync(program, args, {input: text}).stdout;
  for (const [name, bytes] of [["a.gz", gzipSync(text)], ["a.xz", pack("xz", "-c")], ["a.zst", pack("zstd", "-c")]]) {
    if (!bytes?.length) continue;
    const [json] = await read(page, file(name, bytes));
    assert.equal(json, printed(oops)[0].replace(basename(oops), name), name);
  }
  await finish(page);
});

test("a paste is read, and a link carries it", async () => {
  const page = await openReader("", {permissions: ["clipboard-read", "clipboard-write"]});
  await paste(page, readFileSync(oops, "utf8"));
  assert.equal(await page.locator("h2").last().innerText(), "general protection fault in __io_queue_sqe");
  await page.click("#link");
  await page.waitForFunction(() => location.hash.startsWith("#log="));
  const other = await openReader(new URL(page.url()).hash);
  await other.waitForSelector("[role=tab]");
  assert.equal(await other.evaluate(() => ksplatReports[0].json), await page.evaluate(() => ksplatReports[0].json));
  await finish(other);
  await finish(page);
});

test("the first report is shown at once", async () => {
  for (const log of ["gpf/io-queue-sqe.log", "kasan/panic-on-warn.log", "hung-task/mutex-owner.log"].map(name => join(corpus, name))) {
    const page = await openReader();
    const [ready, shown, painted] = await page.evaluate(text => new Promise(done => {
      const start = performance.now(), took = () => performance.now() - start;
      new MutationObserver((_, observer) => {
        observer.disconnect();
        const shown = took();
        requestAnimationFrame(() => setTimeout(() => done([document.body.dataset.ready, shown, took()])));
      }).observe(document.getElementById("report"), {childList: true});
      const clipboardData = new DataTransfer();
      clipboardData.setData("text/plain", text);
      dispatchEvent(new ClipboardEvent("paste", {clipboardData}));
    }), readFileSync(log, "utf8"));
    console.log(`# ${basename(log)}: ready ${ready} ms after the address, first report ${shown.toFixed(1)} ms after the paste, painted after ${painted.toFixed(1)}`);
    await finish(page);
  }
});

test("the report and the log mark each other", async () => {
  const page = await openReader();
  await read(page, oops);
  const frame = page.locator(".stack tr.from", {hasText: "io_req_task_submit"}).first();
  await frame.click();
  await page.waitForSelector(".row.marked");
  assert.match(await page.locator(".row.marked").first().innerText(), /io_req_task_submit/);
  await page.locator(".row", {hasText: "RAX:"}).first().click();
  assert.match(await page.locator("#report .marked").first().innerText(), /^r[a-d]x/);
  // Text that is selected in the report marks its line.
  await page.evaluate(() => {
    const node = [...document.querySelectorAll(".stack code")].find(code => code.textContent === "tctx_task_work").firstChild;
    getSelection().selectAllChildren(node.parentElement);
  });
  await page.waitForFunction(() => document.querySelector(".row.marked")?.textContent.includes("tctx_task_work"));
  await finish(page);
});

test("a register says what it holds and where that came from", async () => {
  const page = await openReader();
  await read(page, oops);
  await page.locator("[data-register=r12]").first().hover();
  const words = await page.locator("#tip").innerText();
  assert.match(words, /r12 = 0x0000000000000000/);
  assert.match(words, /NULL pointer \(null\)/);
  assert.match(words, /%r12 was loaded from 0x70\(%rbp\)/);
  await page.keyboard.press("Escape");
  assert.ok(await page.locator("#tip").isHidden());
  assert.equal(await page.locator("tr.trap").count(), 1);
  await finish(page);
});

test("two reports are compared as the program compares them", async () => {
  const page = await openReader();
  const [one, other] = ["queue-add.log", "schedule-buff.log"].map(name => join(root, "tests/duplicates", name));
  await read(page, one, other, oops);
  const verdict = async to => {
    await page.locator("#tab0").click();
    await page.selectOption("#other", to);
    await page.waitForSelector(".same");
    return page.locator(".same").innerText();
  };
  assert.match(ksplat(["cluster", "--why", one, other]), /are of one bug/);
  const same = await verdict("1");
  assert.match(same, /are of one bug/);
  assert.match(same, /source files of their stacks/);
  assert.match(ksplat(["cluster", "--why", one, oops]), /are not of one bug/);
  assert.match(await verdict("2"), /are not of one bug/);
  await finish(page);
});

test("a bisection is audited as by the program", async () => {
  const page = await openReader();
  const folder = join(root, "tests/bisections");
  const log = readdirSync(folder).find(name => /\.(log|txt)$/.test(name));
  const [audit] = await read(page, join(folder, log));
  assert.equal(audit, ksplat(["bisect", "--format", "jsonl", log], {cwd: folder}).trim());
  assert.match(await page.locator("#report").innerText(), /Bisection/);
  await finish(page);
});

test("the address of a panic's QR code is read", async () => {
  const page = await openReader();
  const data = deflateSync(readFileSync(oops).subarray(0, 3900));
  let digits = "";
  for (let at = 0; at < data.length; at += 7) {
    const group = [...data.subarray(at, at + 7)];
    const value = group.reduceRight((sum, byte) => sum * 256n + BigInt(byte), 0n);
    digits += String(value).padStart([0, 3, 5, 8, 10, 13, 15, 17][group.length], "0");
  }
  await paste(page, `https://panic.example/report?a=x86_64&v=6.17.0&z=${digits}`);
  assert.equal(await page.evaluate(() => ksplatReports[0].title), "general protection fault in __io_queue_sqe");
  await paste(page, `https://panic.example/report?a=x86_64&v=6.17.0&z=${digits.slice(0, -40)}`);
  assert.match(await message(page), /cut off or damaged/);
  await finish(page);
});

test("what cannot be read costs a sentence", async () => {
  const page = await openReader();
  const huge = file("huge.log", "");
  const handle = openSync(huge, "r+");
  ftruncateSync(handle, 2 ** 30);
  closeSync(handle);
  const random = Buffer.from(Array.from({length: 20_000}, (_, i) => (i * 7919) % 251));
  const inputs = [
    [huge, /1074 MB.*The program reads it: ksplat parse huge.log/],
    [file("noise.bin", random), /noise.bin is not text/],
    [file("vmlinux", Buffer.concat([Buffer.from("\x7fELF"), random])), /is an ELF file. The program reads kernel images/],
    [file("cut.gz", gzipSync(readFileSync(oops)).subarray(0, 400)), /cut.gz is damaged gzip data/],
    [file("bomb.gz", gzipSync(Buffer.alloc(300_000_000))), /bomb.gz unpacks to more than 256 MB/],
    [file("clean.log", "[    1.0] all is well\n"), /clean.log has no crash report/],
    [file("empty.log", ""), /empty.log has no crash report/],
    [file("bad.atlas", "no atlas"), /bad.atlas/],
  ];
  for (const [path, sentence] of inputs) {
    await read(page, path);
    assert.match(await message(page), sentence);
  }
  // The page goes on.
  assert.equal((await read(page, oops)).length, 1);
  await finish(page);
});

test("a broken link and a browser without WebAssembly cost a sentence", async () => {
  for (const hash of ["#log=%%%", "#log=abcdef", "#log=", "#log=7b0HYBxJliUmL23Ke39K9UrX4HShCIBgEyTYkEAQ7MGIzeaS7B1pRyMpqyqBymVWZV1mFkDM7Z28995777333nvvvfe6O51OJ_ff_z9cZmQBbPbOStrJniGAqsgfP358Hz8iHv8eJ0VZZmk9L"]) {
    const page = await openReader(hash);
    await page.waitForFunction(() => !document.getElementById("message").hidden);
    assert.match(await message(page), /link is cut off or damaged|no text to read/, hash);
    await finish(page);
  }
  const page = await open(reader, {init: () => { delete globalThis.WebAssembly; }});
  assert.match(await message(page), /no WebAssembly.*ksplat parse LOG/);
  await finish(page);
});

test("a log of 50 MB shows progress and can be stopped", async () => {
  const page = await openReader();
  const report = readFileSync(oops, "utf8");
  const line = "[    1.000000] usb 1-1: new high-speed USB device number 2 using xhci_hcd\n";
  const text = (report + line.repeat(6000)).repeat(Math.ceil(50e6 / (line.length * 6000)));
  const path = file("long.log", text);
  const seen = page.evaluate(() => new Promise(done => {
    const status = document.getElementById("status"), seen = new Set();
    new MutationObserver(() => { if (status.querySelector("progress")) seen.add(status.textContent); if (document.body.dataset.done) done([...seen]); })
      .observe(document.body, {subtree: true, childList: true, attributes: true});
  }));
  const start = Date.now();
  const reports = await read(page, path);
  console.log(`# ${text.length} bytes are read in ${Date.now() - start} ms`);
  assert.equal(reports.length, printed(path).length);
  assert.ok((await seen).some(text => /Reading reports/.test(text)), "progress");
  await page.setInputFiles("#file", path);
  await page.click("#stop");
  assert.match(await message(page), /Stopped after/);
  assert.equal((await read(page, oops)).length, 1);
  await finish(page);
});

test("a stop leaves the logs that were read before", async () => {
  const page = await openReader();
  await read(page, ...["queue-add.log", "schedule-buff.log"].map(name => join(root, "tests/duplicates", name)));
  await page.setInputFiles("#file", file("zeros.log", ("a line\n".repeat(50) + readFileSync(oops, "utf8")).repeat(6000)));
  await page.click("#stop");
  await page.locator("#tab0").click();
  await page.locator(".row", {hasText: "Call Trace"}).first().waitFor();
  await page.selectOption("#other", "1");
  await page.waitForSelector(".same");
  await finish(page);
});

test("the keyboard is enough", async () => {
  const page = await openReader();
  await page.locator("#paste").fill(readFileSync(oops, "utf8"));
  await page.keyboard.press("Tab");
  await page.keyboard.press("Enter");
  await page.waitForSelector("body[data-done]");
  await page.waitForFunction(() => document.activeElement.id === "tab0");
  await read(page, join(root, "tests/duplicates/queue-add.log"));
  await page.locator("[role=tab][aria-selected=true]").focus();
  await page.keyboard.press("Home");
  assert.equal(await page.evaluate(() => document.activeElement.id), "tab0");
  await page.keyboard.press("ArrowRight");
  assert.equal(await page.locator("#tab1").getAttribute("aria-selected"), "true");
  await page.locator("#log").focus();
  await page.keyboard.press("ArrowDown");
  assert.equal(await page.locator(".row.marked").count(), 1);
  await finish(page);
});

test("the page works without its server", async () => {
  const server = createServer((request, response) => {
    const name = {"/": "index.html", "/index.html": "index.html", "/sw.js": "sw.js"}[new URL(request.url, "http://x").pathname];
    if (!name) return response.writeHead(404).end();
    response.writeHead(200, {"content-type": name.endsWith("js") ? "text/javascript" : "text/html"}).end(readFileSync(join(root, "web/dist", name)));
  });
  await new Promise(done => server.listen(0, "127.0.0.1", done));
  const page = await open(`http://127.0.0.1:${server.address().port}/`);
  await page.evaluate(() => navigator.serviceWorker.ready);
  await new Promise(done => { server.close(done); server.closeAllConnections(); });
  await page.reload();
  await page.waitForSelector("body[data-ready]");
  assert.equal((await read(page, oops)).length, 1);
  // The page itself and its service worker are all that was asked for.
  assert.ok(page.faults.every(fault => /^asks for http:\/\/127.0.0.1:\d+\/(sw.js|index.html)?$/.test(fault)), page.faults.join("\n"));
  await page.context().close();
});
