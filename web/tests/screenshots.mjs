// Makes the pictures of the book, and those at 400 pixels, which are looked at: `node tests/screenshots.mjs`.

import {join} from "node:path";
import {end, folder, ksplat, open, openReader, read, root} from "./browser.mjs";

const pictures = join(root, "docs/src");
const corpus = name => join(root, "corpus", name);
const sizes = {"": {width: 1400, height: 900}, "-400": {width: 400, height: 900}};
for (const [name, viewport] of Object.entries(sizes)) {
  const page = await openReader("", {viewport});
  await read(page, join(root, "tests/duplicates/queue-add.log"), corpus("gpf/io-queue-sqe.log"), corpus("kasan/panic-on-warn.log"));
  await page.locator("#tab1").click();
  if (!name) await page.locator("dd .from").first().click();
  await page.screenshot({path: join(pictures, `page${name}.png`)});
  const html = join(folder, "bugs.html");
  ksplat(["cluster", "-q", "--first", "--html", html, "--strip-prefix", root, ...["kasan", "null-deref", "hung-task", "deadlock", "refcount", "gpf"].map(corpus), join(root, "tests/duplicates")]);
  const bugs = await open("file://" + html, {viewport});
  if (!name) await bugs.locator("#row1").click();
  await bugs.screenshot({path: join(pictures, `bugs${name}.png`)});
}
await end();
