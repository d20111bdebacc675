// The page of bugs.

import assert from "node:assert/strict";
import {execFileSync} from "node:child_process";
import {mkdirSync, readFileSync, writeFileSync} from "node:fs";
import {join} from "node:path";
import {after, test} from "node:test";
import {end, finish, folder, ksplat, openBugs, root} from "./browser.mjs";

after(end);

/// Logs of three bugs: one of two kernels with dates, one that attacks the page, one other.
function bugs() {
  const logs = join(folder, "logs/ci");
  mkdirSync(logs, {recursive: true});
  const log = (date, site, way, release) => ["kernel BUG at fs/a.c:1!", `CPU: 1 PID: 7 Comm: a Not tainted ${release} #1`, `RIP: 0010:${site}+0x9b/0x200`,
    "Call Trace:", ` ${way}+0x1/0x2`, " demo_last+0x1/0x2", " do_syscall_64+0x1/0x2"].map(line => `${date}T06:14:00.123456+00:00 host kernel: ${line}\n`).join("");
  writeFileSync(join(logs, "one.log"), "a line\n" + log("2026-01-02", "site_a", "way_a", "6.1.0"));
  writeFileSync(join(logs, "two.log"), log("2026-03-04", "site_a", "way_b", "6.2.0"));
  writeFileSync(join(logs, "attack.log"), "Kernel panic - not syncing: </script><img src=x onerror=alert(1)>\u2028\u202e=1+1\nCall Trace:\n demo_x+0x1/0x2\n");
  writeFileSync(join(logs, "kasan.log"), readFileSync(join(root, "corpus/kasan/panic-on-warn.log")));
  return join(folder, "logs");
}
function page(...args) {
  const html = join(folder, "bugs.html");
  ksplat(["cluster", "-q", "--html", html, ...args, bugs()]);
  return "file://" + html;
}
const options = () => ["--strip-prefix", join(folder, "logs"), "--link-base", "https://logs.example/all"];
const titles = page => page.locator(".row b").allTextContents();

test("the most severe is first, and says why", async () => {
  const it = await openBugs(page(...options()));
  assert.match((await titles(it))[0], /^KASAN: use-after-free Write/);
  assert.match(await it.locator(".row .sev").first().innerText(), /^critical/);
  const widths = await it.locator(".row .sev").evaluateAll(all => all.map(node => node.scrollWidth <= node.clientWidth + 1));
  assert.ok(widths.every(Boolean), "a severity is cut");
  await it.locator("#row0").click();
  const text = await it.locator("#detail").innerText();
  for (const part of [/KASAN use after free write; raised by: write/, /Diagnosis/, /it was freed in cm_session_close/, /Suspects/i, /ci\/kasan.log:12/, /Stack of the exemplar/i]) assert.match(text, part);
  assert.ok(!text.includes(folder), "a path of the machine");
  assert.equal(await it.locator("#detail dd a").first().getAttribute("href"), "https://logs.example/all/ci/kasan.log#L12");
  await it.locator("#detail summary").click();
  await it.waitForFunction(() => document.querySelector("#detail pre").textContent.includes("writes 4 bytes"));
  await finish(it);
});

test("bugs are filtered, found, and linked to", async () => {
  const it = await openBugs(page(...options()));
  const all = await titles(it);
  await it.fill("#since", "2026-02-01");
  await it.fill("#until", "2026-03-31");
  assert.ok((await titles(it)).some(title => title.includes("site_a")));
  await it.fill("#until", "2026-02-10");
  assert.ok((await titles(it)).some(title => title.includes("site_a")), "seen before and after");
  await it.fill("#until", "2025-12-31");
  assert.deepEqual(await titles(it), []);
  await it.locator("#notes button").click();
  assert.deepEqual(await titles(it), all);
  await it.selectOption("#kernel", "6.2.0");
  assert.deepEqual(await titles(it), ["kernel BUG in site_a"]);
  await it.locator("#row0").click();
  const text = await it.locator("#detail").innerText();
  assert.match(text, /2 reports, seen 2026-01-02 – 2026-03-04/);
  assert.match(text, /6.1.0 – 6.2.0/);
  const other = await openBugs(it.url());
  assert.equal(await other.locator("#detail h2").innerText(), "kernel BUG in site_a");
  await finish(other);
  await it.keyboard.press("Escape");
  assert.ok(await it.locator("#detail").isHidden());
  await it.keyboard.press("/");
  await it.keyboard.type("no such word");
  assert.match(await it.locator("#status").innerText(), /^0 bugs/);
  await finish(it);
});

test("text of a log is text", async () => {
  const it = await openBugs(page());
  assert.equal(await it.locator("img").count(), 0);
  const attack = it.locator(".row b", {hasText: "onerror"});
  // Titles have numbers as NUM, and no invisible characters.
  assert.match(await attack.textContent(), /<\/script><img src=x onerror=alert\(NUM\)>/);
  assert.ok(!/[\u2028\u202e]/.test(await it.locator("body").innerText()));
  await attack.click();
  assert.equal(await it.locator("img").count(), 0);
  await finish(it);
});

test("the selection is exported", async () => {
  const it = await openBugs(page(...options()));
  await it.fill("#q", "onerror");
  const saved = async name => {
    const [download] = await Promise.all([it.waitForEvent("download"), it.locator("#export button", {hasText: name}).click()]);
    return readFileSync(await download.path(), "utf8");
  };
  const csv = await saved("CSV");
  assert.equal(csv.split("\r\n").length, 3);
  assert.match(csv, /^id,severity,raised by,title,/);
  const markdown = await saved("Markdown");
  assert.match(markdown, /^### kernel panic: \\<\/script\\>\\<img/i);
  assert.match(markdown, /log: <https:\/\/logs.example\/all\/ci\/attack.log#L1>/);
  await finish(it);
});

test("a column without values is left out", async () => {
  const html = join(folder, "plain.html");
  ksplat(["cluster", "-q", "--html", html, join(root, "tests/duplicates")]);
  const it = await openBugs("file://" + html);
  await it.locator("#row0").click();
  const heads = await it.locator("#detail section").last().locator("th").allInnerTexts();
  assert.ok(heads.includes("kernel") && heads.includes("log"), heads.join());
  const narrow = await it.locator("#detail td").evaluateAll(all => all.filter(node => node.textContent && node.clientWidth < 12).map(node => node.textContent));
  assert.deepEqual(narrow, []);
  await finish(it);
});

test("the page prints its rows", async () => {
  const it = await openBugs(page());
  const pdf = await it.pdf();
  assert.ok(pdf.length > 5000);
  await it.evaluate(() => dispatchEvent(new Event("beforeprint")));
  await it.emulateMedia({media: "print"});
  assert.equal(await it.locator(".row").count(), 3);
  assert.ok(await it.locator(".row").last().isVisible());
  await finish(it);
});

test("a page of a store has the text and the suspects of its exemplars", async () => {
  const store = join(folder, "bugs.ksplat"), html = join(folder, "store.html"), log = join(folder, "moved.log");
  writeFileSync(log, readFileSync(join(root, "corpus/kasan/panic-on-warn.log")));
  const page = async () => {
    ksplat(["store", "list", store, "--html", html, "--strip-prefix", folder]);
    const it = await openBugs("file://" + html);
    await it.locator("#row0").click();
    return it;
  };
  ksplat(["store", "add", "-q", store, log]);
  const it = await page();
  const text = await it.locator("#detail").innerText();
  for (const part of [/Suspects/i, /Diagnosis/, /moved.log:12/]) assert.match(text, part);
  await it.locator("#detail summary").click();
  await it.waitForFunction(() => document.querySelector("#detail pre").textContent.includes("writes 4 bytes"));
  await finish(it);
  // Another report in its place is not taken for it.
  writeFileSync(log, readFileSync(join(root, "corpus/gpf/io-queue-sqe.log")));
  const other = await page();
  assert.doesNotMatch(await other.locator("#detail").innerText(), /Suspects/i);
  await finish(other);
});

test("the page is the one that web/ builds", () => {
  execFileSync("node", ["build.mjs", "--triage", "--check"], {cwd: join(root, "web")});
});
