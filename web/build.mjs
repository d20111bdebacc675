// Builds the pages: `node build.mjs` makes dist/ and writes ../src/output/page.html; with `--check` it fails if that
// file is not what it would write. `--fast` leaves out what takes time and changes sizes only; `--triage` builds the
// page of bugs alone, without the module.

import {execFileSync, spawn} from "node:child_process";
import {createHash} from "node:crypto";
import {once} from "node:events";
import {mkdirSync, readFileSync, writeFileSync} from "node:fs";
import {homedir} from "node:os";
import {resolve} from "node:path";
import {deflateRawSync} from "node:zlib";
import {buildSync} from "esbuild";

// The module that reads, and the one with what few logs need.
const MODULES = ["ksplat_web", "ksplat_rare"];
// Of the first: 1.4 MB and some more.
const MOST_WASM = 1_450_000, MOST_PACKED = 610_000;
// Of WebAssembly: what the compiler uses, and all browsers of the last years have.
const FEATURES = ["simd", "bulk-memory", "nontrapping-float-to-int", "sign-ext", "mutable-globals", "reference-types", "multivalue"].map(name => `--enable-${name}`);
const has = name => process.argv.includes(name);
process.chdir(import.meta.dirname);
const text = path => readFileSync(path, "utf8");
const hash = content => `'sha256-${createHash("sha256").update(content).digest("base64")}'`;

function bundle(path, options = {}) {
  const {outputFiles} = buildSync({entryPoints: [path], bundle: true, write: false, format: "iife", target: "es2022", charset: "ascii", legalComments: "none", ...options});
  return outputFiles[0].text;
}

/// Fills the places `{{name}}` of a page, and `{{hash:name}}` with the hash of a text for its policy.
function page(path, parts) {
  return text(path).replace(/\{\{(hash:)?(\w+)\}\}/g, (place, isHash, name) => {
    if (!(name in parts)) return place;
    // Not `</script>` nor `<!--` may be in a script.
    const part = parts[name];
    return isHash ? hash(part) : part;
  });
}
const inert = source => source.replace(/<(?=\/script|!--)/gi, "\\x3c");

function triage() {
  const style = text("page/style.css") + text("page/triage.css");
  const made = page("page/triage.html", {style, script: inert(bundle("page/triage.ts"))});
  const path = "../src/output/page.html";
  if (has("--check") && text(path) !== made) throw new Error("src/output/page.html is old: `npm run build` in web/ writes it");
  writeFileSync(path, made);
  return made;
}

/// Builds the modules, and writes their JavaScript.
async function cargo() {
  const target = resolve("..", process.env.CARGO_TARGET_DIR ?? "target");
  const fast = has("--fast") ? {CARGO_PROFILE_WEB_LTO: "off", CARGO_PROFILE_WEB_CODEGEN_UNITS: "16", CARGO_PROFILE_WEB_OPT_LEVEL: "1"} : {};
  // Searches of bytes take vectors. The module contains the names of the files of its crates: without this machine's.
  const crates = `${process.env.CARGO_HOME ?? homedir() + "/.cargo"}/registry/src/`;
  const flags = {CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_RUSTFLAGS: `-Ctarget-feature=+simd128 --remap-path-prefix=${crates}=`};
  const bindgen = ["--locked", "--manifest-path", "bindgen/Cargo.toml", "--target-dir", `${target}/bindgen`];
  const run = async (args, env = {}) => {
    const [status] = await once(spawn("cargo", args, {stdio: "inherit", env: {...process.env, CARGO_TARGET_DIR: target, ...env}}), "exit");
    if (status !== 0) throw new Error(`cargo ${args[0]} failed`);
  };
  const packages = MODULES.flatMap(name => ["-p", name.replace("_", "-")]);
  // At the same time: each waits for one large crate at its end.
  await Promise.all([
    run(["build", "--locked", ...packages, "--target", "wasm32-unknown-unknown", "--profile", "web"], {...flags, ...fast}),
    run(["build", "--quiet", ...bindgen]),
  ]);
  for (const name of MODULES) await run(["run", "--quiet", ...bindgen, "--", `${target}/wasm32-unknown-unknown/web/${name}.wasm`, "dist/bindgen"]);
}

/// A module, as small as it can be, and packed for the page.
function module(name) {
  const path = `dist/bindgen/${name}_bg.wasm`;
  if (!has("--fast")) execFileSync("node_modules/.bin/wasm-opt", ["-Oz", ...FEATURES, "--strip-debug", "--strip-producers", path, "-o", path], {stdio: "inherit"});
  const wasm = readFileSync(path);
  const packed = deflateRawSync(wasm, {level: 9});
  console.log(`${name}: wasm ${wasm.length} bytes, ${packed.length} packed`);
  return {wasm, packed};
}

async function reader() {
  await cargo();
  const [main, rare] = MODULES.map(module);
  if (!has("--fast") && (main.wasm.length > MOST_WASM || main.packed.length > MOST_PACKED)) throw new Error("the module is too large");
  const minify = !has("--fast");
  const parts = {
    style: text("page/style.css") + text("page/reader.css"),
    script: inert(bundle("page/reader.ts", {minify})),
    worker: inert(bundle("page/worker.ts", {minify, define: {"import.meta.url": "''"}})),
    wasm: main.packed.toString("base64"),
    rare: rare.packed.toString("base64"),
    atlas: deflateRawSync(readFileSync("../src/atlas/linux.atlas"), {level: 9}).toString("base64"),
  };
  const made = page("page/reader.html", parts);
  writeFileSync("dist/index.html", made);
  writeFileSync("dist/sw.js", text("page/sw.js").replaceAll("{{version}}", createHash("sha256").update(made).digest("hex").slice(0, 16)));
  console.log(`dist/index.html: ${made.length} bytes`);
}

mkdirSync("dist", {recursive: true});
triage();
if (!has("--triage")) {
  await reader();
  execFileSync("node_modules/.bin/tsc", ["--noEmit"], {stdio: "inherit"});
}
