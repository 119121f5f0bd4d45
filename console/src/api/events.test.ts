import { describe, expect, it } from 'vitest';
import { EventReader, pauseBefore } from './events';

const STREAM = ': hello\n\nid: 7\nevent: progress\ndata: {"a":1,\ndata: "b":2}\n\ndata:plain\r\n\r\nevent: nothing\n\n';
const EVENTS = [{ type: 'progress', data: '{"a":1,\n"b":2}', id: '7' }, { type: 'message', data: 'plain', id: '7' }];

describe('events', () => {
  it('are read whole', () => {
    expect(new EventReader().take(STREAM)).toEqual(EVENTS);
  });
  it('are the same wherever the network cuts', () => {
    for (let at = 1; at < STREAM.length; at++) {
      const reader = new EventReader();
      expect([...reader.take(STREAM.slice(0, at)), ...reader.take(STREAM.slice(at))]).toEqual(EVENTS);
    }
  });
  it('wait for their end', () => {
    expect(new EventReader().take('data: half\n')).toEqual([]);
  });
});

it('tries come ever more rarely, spread, and never more than half a minute apart', () => {
  expect(pauseBefore(0, 0)).toBe(250);
  expect(pauseBefore(0, 1)).toBe(500);
  expect(pauseBefore(3, 1)).toBe(4_000);
  expect(pauseBefore(99, 1)).toBe(30_000);
});
