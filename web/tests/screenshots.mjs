// Makes the pictures of the book, and those at 400 pixels, which are looked at: `node tests/screenshots.mjs`. With the
// name of a folder, all in dark colours as well, into it.

import {readdirSync} from "node:fs";
import {join} from "node:path";
import {end, folder, ksplat, openBugs, openReader, read, root} from "./browser.mjs";

const corpus = name => join(root, "corpus", name);
const logs = ["corpus", "tests/duplicates"].flatMap(name => readdirSync(join(root, name), {recursive: true}).map(log => join(root, name, log)))
  .filter(name => /(kasan|null-deref|hung-task|deadlock|refcount|gpf|duplicates)\/[^/]*\.log$/.test(name));
const html = join(folder, "bugs.html");
ksplat(["cluster", "-q", "--first", "--html", html, "--strip-prefix", join(root, "corpus"), ...logs]);

async function pageOfLogs(to, name, options) {
  const page = await openReader("", options);
  await read(page, join(root, "tests/duplicates/queue-add.log"), corpus("gpf/io-queue-sqe.log"), corpus("kasan/panic-on-warn.log"));
  await page.locator("#tab1").click();
  if (options.viewport.width > 900) await page.locator("dd .from").first().click();
  await page.screenshot({path: join(to, `page${name}.png`)});
}

async function pageOfBugs(to, name, options) {
  const bugs = await openBugs("file://" + html, options);
  if (options.viewport.width > 900) await bugs.locator("#row1").click();
  await bugs.screenshot({path: join(to, `bugs${name}.png`)});
  if (options.colorScheme) {
    await bugs.locator("#row1").click();
    await bugs.screenshot({path: join(to, `bug${name}.png`), fullPage: true});
  }
}

const [, , folderOfDark] = process.argv;
const book = join(root, "docs/src"), colorScheme = "dark";
const wide = {viewport: {width: 1400, height: 900}}, narrow = {viewport: {width: 400, height: 900}};
for (const [name, options] of [["", wide], ["-400", narrow]]) {
  await pageOfLogs(book, name, options);
  await pageOfBugs(book, name, options);
  if (folderOfDark) await pageOfLogs(folderOfDark, name + "-dark", {...options, colorScheme});
  if (folderOfDark) await pageOfBugs(folderOfDark, name + "-dark", {...options, colorScheme});
}
await pageOfLogs(book, "-400-dark", {...narrow, colorScheme});
await end();
