import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { api, call, door, pathOf, queryOf, Refused, sentencesOf } from './client';

interface Sent {
  url: string;
  method: string;
  headers: Record<string, string>;
  body?: string;
}
let sent: Sent[] = [];
let answers: (() => Response | Promise<Response>)[] = [];
const json = (status: number, body: unknown, headers: HeadersInit = {}) => () => new Response(status === 204 ? null : JSON.stringify(body), { status, headers });

beforeEach(() => {
  sent = [];
  answers = [];
  Object.assign(door, { token: 'one', as: '1/shop', language: 'ja', signInAgain: async () => false, refresh: async () => door.token });
  vi.stubGlobal('fetch', async (url: string, init: Sent) => {
    sent.push({ ...init, url });
    return answers.shift()?.();
  });
});
afterEach(() => vi.unstubAllGlobals());

describe('requests', () => {
  it('write queries with arrays and leave out what is empty', () => {
    expect(queryOf({ a: 1, 'status[]': ['SENT', 'RETRY'], none: undefined, empty: '', no: false })).toBe('?a=1&status%5B%5D=SENT&status%5B%5D=RETRY&no=false');
    expect(queryOf({})).toBe('');
  });
  it('escape what stands in a path', () => {
    expect(pathOf('/domains/{domain}/verify', { domain: 'a/../b?c' })).toBe('/domains/a%2F..%2Fb%3Fc/verify');
  });
  it('carry the token only where something changes', async () => {
    answers = [json(200, { data: [] }), json(200, { delivery_id: 1 })];
    await api.get('/deliveries/all', { query: { size: 5 } });
    await api.post('/deliveries/{delivery_id}/pause', { path: { delivery_id: 1 } });
    expect(sent.map(({ url, headers }) => [url, headers['X-Todoku-Token']])).toEqual([['/api/v1/deliveries/all?size=5', undefined], ['/api/v1/deliveries/1/pause', 'one']]);
    expect(sent[0]?.headers['Accept-Language']).toBe('ja');
  });
});

describe('a 401', () => {
  it('asks to sign in and sends the same again, with what was typed and the new token', async () => {
    answers = [json(401, {}), json(201, { email: 'a@example.jp', added: true })];
    door.signInAgain = async () => {
      door.token = 'two';
      return true;
    };
    await api.post('/suppressions', { body: { email: 'a@example.jp' } });
    expect(sent.map(({ body, headers }) => [body, headers['X-Todoku-Token']])).toEqual([['{"email":"a@example.jp"}', 'one'], ['{"email":"a@example.jp"}', 'two']]);
  });
  it('is told where nobody signs in', async () => {
    answers = [json(401, { error_messages: { main: ['sign in first.'] } })];
    await expect(call('GET', '/x')).rejects.toMatchObject({ status: 401, sentences: ['sign in first.'] });
    expect(sent).toHaveLength(1);
  });
  it('is the answer itself at the front door', async () => {
    answers = [json(401, {})];
    door.signInAgain = async () => expect.unreachable();
    await expect(call('POST', '/console/v1/session', {}, { plain: true })).rejects.toBeInstanceOf(Refused);
  });
});

describe('for whom a page is', () => {
  const said = () => sent.map(({ headers }) => headers['X-Todoku-As']);
  it('stands on each request, and on what is sent again whoever has signed in since', async () => {
    answers = [json(200, {}), json(401, {}), json(409, { error_messages: { main: ['nothing was done.'] } })];
    await api.get('/deliveries/all', {});
    door.signInAgain = async () => {
      Object.assign(door, { token: 'theirs', as: '2/magazine' });
      return true;
    };
    await expect(api.post('/suppressions', { body: { email: 'a@example.jp' } })).rejects.toMatchObject({ status: 409, sentences: ['nothing was done.'] });
    expect(said()).toEqual(['1/shop', '1/shop', '1/shop']);
  });
  it('does not stand where somebody comes in', async () => {
    answers = [json(200, {})];
    await call('POST', '/console/v1/session', {}, { plain: true });
    expect(said()).toEqual([undefined]);
  });
});

describe('a 403', () => {
  it('of a change is sent again once where another tab has rotated the sign-in', async () => {
    answers = [json(403, {}), json(200, {})];
    door.refresh = async () => (door.token = 'two');
    await call('DELETE', '/x');
    expect(sent.map(({ headers }) => headers['X-Todoku-Token'])).toEqual(['one', 'two']);
  });
  it('stays one where nothing has changed', async () => {
    answers = [json(403, { error_messages: { main: ['no.'] } })];
    await expect(call('DELETE', '/x')).rejects.toMatchObject({ status: 403 });
    expect(sent).toHaveLength(1);
  });
});

describe('what an answer warns of', () => {
  it('is heard by whoever asks, each for itself', async () => {
    const heard: string[][] = [];
    const warned = (warnings: string[]) => heard.push(warnings);
    answers = [json(200, {}, { 'X-Todoku-Warning': 'the sender is not proven; waits_for_approval' }), json(200, {}, { 'X-Todoku-Warning': 'waits_for_approval, another' }), json(200, {}), json(400, {}, { 'X-Todoku-Warning': 'waits_for_approval' })];
    const commit = () => api.patch('/deliveries/bulk/commit/{delivery_id}/immediate', { path: { delivery_id: 1 }, warned });
    await commit();
    await commit();
    await commit();
    await expect(commit()).rejects.toMatchObject({ status: 400 });
    expect(heard).toEqual([['the sender is not proven', 'waits_for_approval'], ['waits_for_approval', 'another'], []]);
  });
});

describe('refusals', () => {
  it('tell all sentences with their fields', () => {
    expect(sentencesOf({ error_messages: { main: ['whole.'], to: { 0: { email: ['is required.'] } } } })).toEqual(expect.arrayContaining(['whole.', 'to.0.email: is required.']));
    expect(sentencesOf('<html>')).toEqual([]);
  });
  it('know how long to wait', async () => {
    answers = [json(429, {}, { 'Retry-After': '30' })];
    await expect(call('GET', '/x')).rejects.toMatchObject({ status: 429, retryAfter: 30 });
  });
  it('are of status 0 where nobody answers', async () => {
    answers = [() => Promise.reject(new TypeError('Failed to fetch'))];
    await expect(call('GET', '/x')).rejects.toMatchObject({ status: 0 });
  });
  it('come as they are where the answer is no JSON', async () => {
    answers = [() => new Response('<h1>502</h1>', { status: 502 })];
    await expect(call('GET', '/x')).rejects.toMatchObject({ status: 502, sentences: [] });
  });
});
