// The one file of a zip that the engine made (its files of refused rows), read in the browser: APPNOTE.TXT, 4.3.
const CENTRAL = 0x02014b50;
const END = 0x06054b50;
const END_OCTETS = 22;
const STORED = 0;
const DEFLATED = 8;

/** Its first file's text in UTF-8; empty where it is no such zip. */
export async function textIn(zip: ArrayBuffer): Promise<string> {
  const view = new DataView(zip);
  let end = zip.byteLength - END_OCTETS;
  while (end >= 0 && view.getUint32(end, true) !== END) end--;
  if (end < 0) return '';
  const entry = view.getUint32(end + 16, true);
  if (entry + 46 > zip.byteLength || view.getUint32(entry, true) !== CENTRAL) return '';
  const method = view.getUint16(entry + 10, true);
  const size = view.getUint32(entry + 20, true);
  const file = view.getUint32(entry + 42, true);
  if (file + 30 > zip.byteLength) return '';
  const begin = file + 30 + view.getUint16(file + 26, true) + view.getUint16(file + 28, true);
  const packed = zip.slice(begin, begin + size);
  if (method === STORED) return new TextDecoder().decode(packed);
  if (method !== DEFLATED) return '';
  return new Response(new Blob([packed]).stream().pipeThrough(new DecompressionStream('deflate-raw'))).text();
}
