// The features of a pair of reports, as `src/cluster/feature.rs` names them, in words.

const WORDS: Record<string, [string, string?]> = {
  stack: ["functions of their stacks"],
  words: ["words of their titles"],
  parts: ["parts of the names of their innermost functions"],
  prefix: ["prefixes of their functions"],
  files: ["source files of their stacks"],
  directory: ["the directory of the crash"],
  locks: ["locks"],
  allocation: ["the functions that allocated the object"],
  free: ["the functions that freed the object"],
  cache: ["the slab cache"],
  race: ["the other access of the race"],
  title: ["the title"],
  "title-function": ["the function in the title"],
  "title-in-stack": ["the function in the title of one, in the stack of the other"],
  family: ["the family of bugs"],
  "null-offset": ["the offset from NULL"],
  "other-offset": ["different offsets from NULL", "against"],
  release: ["near releases"],
  era: ["near years"],
  "no-release": ["an unknown release", "no evidence"],
  vocabulary: ["words of their titles, functions and files"],
  "origin-words": ["words of their locks, allocations and frees"],
  "rare-file": ["a rare source file"],
  "same-release": ["the build"],
};

const LINKS: Record<string, string> = {
  forced: "by a decision", exact: "equal reports", site: "the same site", stack: "the same stack", locks: "the same locks", title: "the same title",
  hang: "one hang", stall: "one stall", warning: "one warning", object: "one object", score: "alike",
};

export const linkWords = (how: string) => LINKS[how] ?? how;

/// `files +1.98, words +1.62` in words: `source files of their stacks, words of their titles`. Other texts are
/// returned as they are.
export function inWords(evidence: string): string {
  const parts = evidence.split(", ").map(part => /^([a-z-]+) ([+-]\d+\.\d+)$/.exec(part));
  if (!parts.every(part => part !== null && part[1]! in WORDS)) return evidence;
  const known = parts.map(part => [WORDS[part![1]!]![0], Number(part![2])] as const);
  const shared = known.filter(([, weight]) => weight >= 0.3).map(([words]) => words);
  const against = known.filter(([, weight]) => weight < 0).map(([words]) => words);
  const common = shared.length ? "have in common " + list(shared) : "have little in common";
  return common + (against.length ? "; against it: " + list(against) : "");
}

export const featureWords = (name: string) => WORDS[name]?.[0] ?? name;

const list = (words: readonly string[]) => words.length < 2 ? words.join("") : words.slice(0, -1).join(", ") + " and " + words[words.length - 1];
