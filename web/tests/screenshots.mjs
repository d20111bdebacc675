// Makes the pictures of the book, and those at 400 pixels, which are looked at: `node tests/screenshots.mjs`. With the
// name of a folder, those in dark colours as well, into it.

import {readdirSync} from "node:fs";
import {join} from "node:path";
import {end, folder, ksplat, openBugs, openReader, read, root} from "./browser.mjs";

const corpus = name => join(root, "corpus", name);
const logs = ["corpus", "tests/duplicates"].flatMap(name => readdirSync(join(root, name), {recursive: true}).map(log => join(root, name, log)))
  .filter(name => /(kasan|null-deref|hung-task|deadlock|refcount|gpf|duplicates)\/[^/]*\.log$/.test(name));
const html = join(folder, "bugs.html");
ksplat(["cluster", "-q", "--first", "--html", html, "--strip-prefix", join(root, "corpus"), ...logs]);

async function pictures(to, name, options) {
  const page = await openReader("", options);
  await read(page, join(root, "tests/duplicates/queue-add.log"), corpus("gpf/io-queue-sqe.log"), corpus("kasan/panic-on-warn.log"));
  await page.locator("#tab1").click();
  if (options.viewport.width > 900) await page.locator("dd .from").first().click();
  await page.screenshot({path: join(to, `page${name}.png`)});
  const bugs = await openBugs("file://" + html, options);
  if (options.viewport.width > 900) await bugs.locator("#row1").click();
  await bugs.screenshot({path: join(to, `bugs${name}.png`)});
  if (options.colorScheme) {
    await bugs.locator("#row1").click();
    await bugs.screenshot({path: join(to, `bug${name}.png`), fullPage: true});
  }
}
const [, , dark] = process.argv;
for (const [name, viewport] of Object.entries({"": {width: 1400, height: 900}, "-400": {width: 400, height: 900}})) {
  await pictures(join(root, "docs/src"), name, {viewport});
  if (dark) await pictures(dark, name + "-dark", {viewport, colorScheme: "dark"});
}
await end();
