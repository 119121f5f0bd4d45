import { deflateRawSync } from 'node:zlib';
import { expect, it } from 'vitest';
import { textIn } from './unzip';

/** A zip of one file, whose local header does not know its size yet, as streams write it. */
function zipOf(text: string, method: number): ArrayBuffer {
  const plain = Buffer.from(text);
  const packed = method ? deflateRawSync(plain) : plain;
  const name = Buffer.from('errors.csv');
  const local = Buffer.alloc(30);
  local.writeUInt32LE(0x04034b50, 0);
  local.writeUInt16LE(method, 8);
  local.writeUInt16LE(name.length, 26);
  const central = Buffer.alloc(46);
  central.writeUInt32LE(0x02014b50, 0);
  central.writeUInt16LE(method, 10);
  central.writeUInt32LE(packed.length, 20);
  central.writeUInt16LE(name.length, 28);
  const end = Buffer.alloc(22);
  end.writeUInt32LE(0x06054b50, 0);
  end.writeUInt32LE(30 + name.length + packed.length, 16);
  const all = Buffer.concat([local, name, packed, central, name, end]);
  return all.buffer.slice(all.byteOffset, all.byteOffset + all.length) as ArrayBuffer;
}

it.each([0, 8])('the file of a zip is read (method %i)', async (method) => {
  expect(await textIn(zipOf('"[email: 必須項目です, 7行目]",""\r\n', method))).toBe('"[email: 必須項目です, 7行目]",""\r\n');
});
it('what is no zip has no text', async () => {
  expect(await textIn(new ArrayBuffer(0))).toBe('');
  expect(await textIn(new TextEncoder().encode('{"error_messages":{}} and something that is long enough').buffer as ArrayBuffer)).toBe('');
});
