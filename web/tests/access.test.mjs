// No serious fault for people with a screen reader, and hostile logs.

import assert from "node:assert/strict";
import {readFileSync} from "node:fs";
import {createRequire} from "node:module";
import {join} from "node:path";
import {after, test} from "node:test";
import {end, file, finish, folder, ksplat, openBugs, openReader, paste, read, root} from "./browser.mjs";

after(end);
const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const modes = [{}, {colorScheme: "dark"}, {viewport: {width: 400, height: 900}}];

async function check(page, where) {
  await page.evaluate(axe);
  const {violations} = await page.evaluate(() => globalThis.axe.run(document, {resultTypes: ["violations"]}));
  const serious = violations.filter(one => ["serious", "critical"].includes(one.impact)).map(one => `${one.id}: ${one.nodes.slice(0, 3).map(node => node.html.slice(0, 160)).join(" | ")}`);
  assert.deepEqual(serious, [], where);
}

test("axe finds no serious fault in the page of logs", async () => {
  for (const mode of modes) {
    const page = await openReader("", {bypassCSP: true, ...mode});
    await check(page, "empty " + JSON.stringify(mode));
    await read(page, join(root, "tests/duplicates/queue-add.log"), join(root, "corpus/kasan/panic-on-warn.log"), join(root, "corpus/gpf/io-queue-sqe.log"));
    await page.locator("#tab2").click();
    await page.selectOption("#other", "0");
    await page.waitForSelector(".same");
    await check(page, "reports " + JSON.stringify(mode));
    await finish(page);
  }
});

test("axe finds no serious fault in the page of bugs", async () => {
  const html = join(folder, "access.html");
  ksplat(["cluster", "-q", "--html", html, join(root, "corpus/kasan"), join(root, "corpus/null-deref"), join(root, "tests/duplicates")]);
  for (const mode of modes) {
    const page = await openBugs("file://" + html, {bypassCSP: true, ...mode});
    await check(page, "list " + JSON.stringify(mode));
    await page.locator("#row1").click();
    await check(page, "bug " + JSON.stringify(mode));
    await finish(page);
  }
});

test("a hostile log changes nothing but text", async () => {
  const attack = "</script><img src=x onerror=alert(1)><svg onload=alert(2)>\u2028\u202e{{data}}${alert(3)}";
  const report = ["WARNING: CPU: 1 PID: 7 at " + attack + " f+0x1/0x2", "CPU: 1 PID: 7 Comm: " + attack + " Not tainted 6.1.0 #1", "Hardware name: " + attack, "RIP: 0010:f+0x1/0x2", "Call Trace:", " g+0x1/0x2",
    ...Array.from({length: 100_000}, (_, i) => ` h${i}+0x1/0x2 ${attack}`), ""].join("\n");
  const page = await openReader();
  for (const text of [report, "Kernel panic - not syncing: " + attack + "\n" + attack, attack]) {
    await paste(page, text);
    await page.waitForTimeout(0);
    assert.equal(await page.locator("img, svg, iframe").count(), 0);
    assert.equal(await page.locator("body > *").count(), 10);
  }
  assert.match(await page.locator("#log").innerText(), /<img src=x onerror=alert\(1\)>/);
  assert.ok(!/\u202e|\u2028/.test(await page.locator("body").innerText()));
  // A name of a file is text as well.
  await read(page, file("<img src=x onerror=alert(4)>.log", report.slice(0, 2000)));
  assert.equal(await page.locator("img").count(), 0);
  await finish(page);
});
