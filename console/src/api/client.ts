// How pages speak to the engine: the public API with its generated types, and the door's own calls.
// A change carries the token against forged requests. A 401 asks for signing in over the page and is
// tried again afterwards, so that nothing that was typed is lost.
import type { paths } from './schema';

type Method = 'get' | 'post' | 'put' | 'patch' | 'delete';
type Operation<P extends keyof paths, M extends Method> = paths[P][M];
export type PathsOf<M extends Method> = {
  [P in keyof paths]: paths[P][M] extends { responses: unknown } ? P : never;
}[keyof paths];
type Json<T> = T extends { content: infer C } ? (C extends { 'application/json': infer J } ? J : undefined) : undefined;
type Good<R> = { [S in keyof R]: S extends 200 | 201 | 202 | 204 | 207 ? Json<R[S]> : never }[keyof R];
export type Answer<P extends keyof paths, M extends Method> =
  Operation<P, M> extends { responses: infer R } ? Good<R> : never;
type Query<O> = O extends { parameters: { query?: infer Q } } ? Q : undefined;
type PathOf<O> = O extends { parameters: { path: infer Q } } ? Q : undefined;
type Body<O> = O extends { requestBody?: { content: { 'application/json': infer B } } } ? B : undefined;
export interface Asked<P extends keyof paths, M extends Method> {
  query?: Query<Operation<P, M>>;
  path?: PathOf<Operation<P, M>>;
  body?: Body<Operation<P, M>>;
  signal?: AbortSignal;
  /** Hears what the answer warns of, where it was done. */
  warned?: (warnings: string[]) => void;
}

export class Refused extends Error {
  constructor(
    readonly status: number,
    readonly sentences: string[],
    readonly retryAfter?: number,
  ) {
    super(sentences[0] ?? `${status}`);
  }
}

/** All sentences of an answer's `error_messages`, with the field that each is about. */
export function sentencesOf(body: unknown): string[] {
  const found: string[] = [];
  const walk = (value: unknown, path: string[]) => {
    if (typeof value === 'string') {
      if (!value) return;
      const field = path.filter((part) => part !== 'main').join('.');
      found.push(field ? `${field}: ${value}` : value);
    } else if (Array.isArray(value)) value.forEach((each) => walk(each, path));
    else if (value && typeof value === 'object')
      for (const [key, each] of Object.entries(value)) walk(each, [...path, key]);
  };
  if (body && typeof body === 'object' && 'error_messages' in body) walk(body.error_messages, []);
  return found;
}

/** `?a=1&b[]=x&b[]=y`; what is undefined, null or empty is left out. */
export function queryOf(query: object | undefined): string {
  const parts = new URLSearchParams();
  for (const [name, value] of Object.entries(query ?? {})) {
    for (const each of Array.isArray(value) ? value : [value])
      if (each !== undefined && each !== null && each !== '') parts.append(name, String(each));
  }
  const text = parts.toString();
  return text ? `?${text}` : '';
}

export function pathOf(template: string, values: object | undefined): string {
  return template.replace(/\{(\w+)\}/g, (_, name: string) =>
    encodeURIComponent(String((values as Record<string, unknown> | undefined)?.[name] ?? '')),
  );
}

interface Door {
  token: string;
  /** For whom and for which account the pages are, "17/shop": the door does nothing for others. */
  as: string;
  language: string;
  /** Resolves when the same person has signed in again for the same account (true), or not (false). */
  signInAgain: () => Promise<boolean>;
  /** The token by now, as another tab may have rotated it; of another person or account it is not taken. */
  refresh: () => Promise<string>;
}
export const door: Door = {
  token: '',
  as: '',
  language: 'en',
  signInAgain: async () => false,
  refresh: async () => '',
};

async function once(method: string, url: string, body: unknown, { as, signal }: { as: string; signal?: AbortSignal }): Promise<Response> {
  const headers: Record<string, string> = { Accept: 'application/json', 'Accept-Language': door.language };
  if (as) headers['X-Todoku-As'] = as;
  if (method !== 'GET') headers['X-Todoku-Token'] = door.token;
  let sent: BodyInit | undefined;
  if (typeof body === 'string' || body instanceof Blob) {
    sent = body;
    headers['Content-Type'] = body instanceof Blob ? body.type : 'text/csv';
  } else if (body !== undefined) {
    sent = JSON.stringify(body);
    headers['Content-Type'] = 'application/json';
  }
  try {
    return await fetch(url, { method, headers, body: sent, signal, credentials: 'same-origin', cache: 'no-store' });
  } catch (trouble) {
    if (signal?.aborted) throw trouble;
    throw new Refused(0, []);
  }
}

async function answerOf(response: Response): Promise<unknown> {
  if (response.status === 204) return undefined;
  const text = await response.text();
  try {
    return text ? JSON.parse(text) : undefined;
  } catch {
    return text;
  }
}

interface How {
  /** A 401 is the answer itself: of signing in. */
  plain?: boolean;
  signal?: AbortSignal;
  warned?: (warnings: string[]) => void;
}

/** Of `X-Todoku-Warning`: the engine puts semicolons between its warnings, what joins fields on the way commas (RFC 9110 section 5.3). */
const warningsOf = (response: Response): string[] => (response.headers.get('X-Todoku-Warning') ?? '').split(/[;,]/).map((each) => each.trim()).filter(Boolean);

export async function call<T>(method: string, url: string, body?: unknown, how: How = {}): Promise<T> {
  const tokenThen = door.token;
  // What is sent again, too, is for whom the page was when it was sent first.
  const by = { as: how.plain ? '' : door.as, signal: how.signal };
  let response = await once(method, url, body, by);
  if (response.status === 401 && !how.plain && (await door.signInAgain()))
    response = await once(method, url, body, by);
  // Another tab's signing in has changed the cookie, and the token with it.
  if (response.status === 403 && method !== 'GET' && !how.plain && (await door.refresh()) !== tokenThen)
    response = await once(method, url, body, by);
  const answer = await answerOf(response);
  if (!response.ok) {
    const wait = Number(response.headers.get('Retry-After'));
    throw new Refused(response.status, sentencesOf(answer), wait > 0 ? wait : undefined);
  }
  how.warned?.(warningsOf(response));
  return answer as T;
}

function speaks<M extends Method>(method: M) {
  return <P extends PathsOf<M>>(path: P, asked: Asked<P, M> = {}): Promise<Answer<P, M>> =>
    call(
      method.toUpperCase(),
      `/api/v1${pathOf(path, asked.path as object)}${queryOf(asked.query as object)}`,
      asked.body,
      { signal: asked.signal, warned: asked.warned },
    );
}
export const api = {
  get: speaks('get'),
  post: speaks('post'),
  put: speaks('put'),
  patch: speaks('patch'),
  delete: speaks('delete'),
};

/** Where a file of the API is downloaded from, by the cookie. */
export function fileOf<P extends PathsOf<'get'>>(path: P, values?: object): string {
  return `/api/v1${pathOf(path, values)}`;
}

/** Where a frame gets it from: as no headers go along, the address says for whom the page is. */
export function frameOf<P extends PathsOf<'get'>>(path: P, asked: Asked<P, 'get'>): string {
  return `/api/v1${pathOf(path, asked.path as object)}${queryOf({ ...(asked.query as object), as: door.as })}`;
}
