// Bytes in text, and packed bytes.

const through = async (bytes: Uint8Array<ArrayBuffer>, stream: CompressionStream | DecompressionStream, most = Infinity) => {
  const parts: Uint8Array<ArrayBuffer>[] = [];
  let size = 0;
  const reader = (new Blob([bytes]).stream().pipeThrough(stream) as ReadableStream<Uint8Array<ArrayBuffer>>).getReader();
  for (;;) {
    const {done, value} = await reader.read();
    if (done) break;
    size += value.length;
    if (size > most) {
      await reader.cancel();
      throw new RangeError("it unpacks to too much");
    }
    parts.push(value);
  }
  return new Blob(parts).arrayBuffer();
};

export const deflate = (bytes: Uint8Array<ArrayBuffer>) => through(bytes, new CompressionStream("deflate-raw"));
export const inflate = (bytes: Uint8Array<ArrayBuffer>, most?: number) => through(bytes, new DecompressionStream("deflate-raw"), most);

export function fromBase64(text: string): Uint8Array<ArrayBuffer> {
  const digits = text.trim().replace(/-/g, "+").replace(/_/g, "/");
  const {fromBase64: decode} = Uint8Array as {fromBase64?: (text: string) => Uint8Array<ArrayBuffer>};
  // Newer browsers read megabytes of it in no time.
  if (decode) return decode.call(Uint8Array, digits);
  const letters = atob(digits);
  const bytes = new Uint8Array(letters.length);
  for (let i = 0; i < letters.length; i++) bytes[i] = letters.charCodeAt(i);
  return bytes;
}

export function toBase64(bytes: Uint8Array): string {
  let letters = "";
  for (let at = 0; at < bytes.length; at += 0x8000) letters += String.fromCharCode(...bytes.subarray(at, at + 0x8000));
  return btoa(letters).replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");
}
