// Builds the pages: `node build.mjs` makes dist/ and writes ../src/output/page.html; with `--check` it fails if that
// file is not what it would write. `--fast` leaves out what takes time and changes sizes only; `--triage` builds the
// page of bugs alone, without the module.

import {execFileSync} from "node:child_process";
import {createHash} from "node:crypto";
import {mkdirSync, readFileSync, writeFileSync} from "node:fs";
import {homedir} from "node:os";
import {deflateRawSync, gzipSync} from "node:zlib";
import {buildSync} from "esbuild";

// What the module has grown to, and some more.
const MOST_WASM = 2_300_000, MOST_PACKED = 950_000;
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

function cargo() {
  const target = process.env.CARGO_TARGET_DIR ?? "../target";
  const fast = has("--fast") ? {CARGO_PROFILE_WEB_LTO: "off", CARGO_PROFILE_WEB_CODEGEN_UNITS: "16", CARGO_PROFILE_WEB_OPT_LEVEL: "1"} : {};
  // Searches of bytes take vectors. The module contains the names of the files of its crates: without this machine's.
  const crates = `${process.env.CARGO_HOME ?? homedir() + "/.cargo"}/registry/src/`;
  const flags = {CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_RUSTFLAGS: `-Ctarget-feature=+simd128 --remap-path-prefix=${crates}=`};
  const run = (args, cwd, env = {}) => execFileSync("cargo", args, {cwd, stdio: "inherit", env: {...process.env, ...env}});
  run(["build", "--locked", "-p", "ksplat-web", "--target", "wasm32-unknown-unknown", "--profile", "web"], "..", {...flags, ...fast});
  run(["run", "--quiet", "--locked", "--manifest-path", "bindgen/Cargo.toml", "--target-dir", `${target}/bindgen`, "--",
    `${target}/wasm32-unknown-unknown/web/ksplat_web.wasm`, "dist/bindgen"], ".");
  const module = "dist/bindgen/ksplat_web_bg.wasm";
  if (!has("--fast")) execFileSync("node_modules/.bin/wasm-opt", ["-Oz", ...FEATURES, "--strip-debug", "--strip-producers", module, "-o", module], {stdio: "inherit"});
  return readFileSync(module);
}

function reader() {
  const wasm = cargo();
  const packed = deflateRawSync(wasm, {level: 9});
  const sizes = `wasm ${wasm.length} bytes, ${gzipSync(wasm, {level: 9}).length} packed`;
  if (!has("--fast") && (wasm.length > MOST_WASM || packed.length > MOST_PACKED)) throw new Error(`${sizes}: too large`);
  const minify = !has("--fast");
  const parts = {
    style: text("page/style.css") + text("page/reader.css"),
    script: inert(bundle("page/reader.ts", {minify})),
    worker: inert(bundle("page/worker.ts", {minify, define: {"import.meta.url": "''"}})),
    wasm: packed.toString("base64"),
    atlas: deflateRawSync(readFileSync("../src/atlas/linux.atlas"), {level: 9}).toString("base64"),
  };
  const made = page("page/reader.html", parts);
  writeFileSync("dist/index.html", made);
  writeFileSync("dist/sw.js", text("page/sw.js").replaceAll("{{version}}", createHash("sha256").update(made).digest("hex").slice(0, 16)));
  console.log(`${sizes}; dist/index.html ${made.length} bytes`);
}

mkdirSync("dist", {recursive: true});
triage();
if (!has("--triage")) {
  reader();
  execFileSync("node_modules/.bin/tsc", ["--noEmit"], {stdio: "inherit"});
}
