// A browser, the program, and what all tests of the pages hold to.

import assert from "node:assert/strict";
import {spawnSync} from "node:child_process";
import {mkdtempSync, writeFileSync} from "node:fs";
import {tmpdir} from "node:os";
import {join} from "node:path";
import {chromium} from "playwright-core";

export const root = join(import.meta.dirname, "../..");
const program = process.env.KSPLAT ?? join(root, "target/debug/ksplat");
const chrome = process.env.CHROMIUM ?? "/usr/bin/chromium";
export const reader = "file://" + join(root, "web/dist/index.html");

/// A file in a folder of its own.
export const folder = mkdtempSync(join(tmpdir(), "ksplat-web-"));
export function file(name, content) {
  const path = join(folder, name);
  writeFileSync(path, content);
  return path;
}

/// The output of the program.
export function ksplat(args, options = {}) {
  const {stdout, stderr, status, error} = spawnSync(program, args, {encoding: "utf8", maxBuffer: 1 << 30, ...options});
  assert.ok(!error && status !== null && status < 2, `ksplat ${args.join(" ")}: ${error ?? stderr}`);
  return stdout;
}

let running;
const args = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"];

/// A page that must not fail, ask for anything, or run what a log says.
export async function open(address, {init, ...options} = {}) {
  running ??= chromium.launch({executablePath: chrome, args});
  const context = await (await running).newContext({viewport: {width: 1400, height: 900}, ...options});
  const page = await context.newPage();
  page.faults = [];
  page.on("pageerror", error => page.faults.push(String(error)));
  page.on("console", message => { if (["error", "warning"].includes(message.type())) page.faults.push(message.text()); });
  page.on("dialog", dialog => { page.faults.push("a dialog: " + dialog.message()); void dialog.dismiss(); });
  page.on("request", request => { if (!/^(file|blob|data):/.test(request.url())) page.faults.push("asks for " + request.url()); });
  if (init) await page.addInitScript(init);
  await page.goto(address);
  return page;
}

/// The page of bugs, when all of it is unpacked.
export async function openBugs(address, options = {}) {
  const page = await open(address, options);
  await page.waitForSelector("body[data-whole-ms]");
  return page;
}

export async function openReader(hash = "", options = {}) {
  const page = await open(reader + hash, options);
  await page.waitForSelector("body[data-ready]");
  return page;
}

/// Reads files in the page, one after the other, and returns the reports of the last.
export async function read(page, ...paths) {
  for (const path of paths) {
    await page.evaluate(() => { delete document.body.dataset.done; });
    await page.setInputFiles("#file", path);
    await page.waitForSelector("body[data-done]", {timeout: 120_000});
  }
  return page.evaluate(() => { const last = ksplatReports.at(-1)?.log; return ksplatReports.filter(tab => tab.log === last).map(tab => tab.json); });
}

export async function paste(page, text) {
  await page.evaluate(text => {
    delete document.body.dataset.done;
    const clipboardData = new DataTransfer();
    clipboardData.setData("text/plain", text);
    dispatchEvent(new ClipboardEvent("paste", {clipboardData, bubbles: true, cancelable: true}));
  }, text);
  await page.waitForSelector("body[data-done]");
}

export const message = page => page.locator("#message").innerText();

export async function finish(page) {
  assert.deepEqual(page.faults, []);
  await page.context().close();
}
export const end = async () => { await (await running)?.close(); };
