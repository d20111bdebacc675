// What the page and its worker say to each other.

/// A report: the number of its log, and its index in it.
export interface Place { id: number; index: number }

/// A report of the log that warms the reader up.
export interface Warmed { json: string; text: string; registers: string }

export type Question =
  | {what: "start"; module: WebAssembly.Module; atlas: ArrayBuffer; rare: string}
  | {what: "read"; id: number; name: string; content: string | Blob; again?: number}
  | {what: "more"; id: number; most: number}
  | {what: "lines"; id: number; start: number; end: number; first: number}
  | {what: "bytes"; id: number; start: number; end: number}
  | {what: "compare"; one: Place; other: Place};

export type Answer =
  | {what: "ready"; reports: Warmed[]}
  | {what: "progress"; id: number; doing: string; share: number}
  | {what: "report"; id: number; index: number; json: string; text: string; markdown: string; registers: string}
  | {what: "audit"; id: number; json: string; text: string}
  | {what: "done"; id: number; bytes: number; reports: number; all: number}
  | {what: "lines"; id: number; start: number; first: number; own: [number, number]; text: string; left: number}
  | {what: "bytes"; id: number; bytes: Uint8Array<ArrayBuffer>}
  | {what: "compared"; json: string}
  | {what: "atlas"; id: number}
  | {what: "failed"; id: number; why: string};
