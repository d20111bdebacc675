// What the page and its worker say to each other.

export type Question =
  | {what: "start"; wasm: ArrayBuffer}
  | {what: "read"; id: number; name: string; content: string | Blob}
  | {what: "lines"; id: number; start: number; end: number; first: number}
  | {what: "bytes"; id: number; start: number; end: number}
  | {what: "compare"; id: number; one: string; other: string};

export type Answer =
  | {what: "ready"}
  | {what: "progress"; id: number; doing: string; share: number}
  | {what: "report"; id: number; index: number; json: string; text: string; markdown: string; registers: string}
  | {what: "audit"; id: number; json: string; text: string}
  | {what: "done"; id: number; more: boolean; bytes: number; reports: number}
  | {what: "lines"; id: number; start: number; first: number; own: [number, number]; text: string; left: number}
  | {what: "bytes"; id: number; bytes: Uint8Array<ArrayBuffer>}
  | {what: "compared"; id: number; json: string}
  | {what: "atlas"; id: number}
  | {what: "failed"; id: number; why: string};
