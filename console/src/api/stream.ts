// One connection a browser for each thing that is watched: of all tabs that watch it the one that holds a lock
// reads, and tells the others. A tab that is hidden lets go, so that ten tabs do not use up the connections.
import { door } from './client';
import { EventReader, pauseBefore, type Told } from './events';

export type Link = 'connecting' | 'live' | 'waiting';
type Heard = (told: Told) => void;
type Message = { told: Told } | { link: Link } | { ask: true };

async function read(url: string, heard: Heard, link: (now: Link) => void, signal: AbortSignal): Promise<void> {
  let attempt = 0;
  let last: string | undefined;
  while (!signal.aborted) {
    try {
      link('connecting');
      const headers: Record<string, string> = { Accept: 'text/event-stream', 'Accept-Language': door.language };
      if (door.as) headers['X-Todoku-As'] = door.as;
      if (last) headers['Last-Event-ID'] = last;
      const answer = await fetch(url, { headers, signal, cache: 'no-store', credentials: 'same-origin' });
      if (answer.status === 401) await door.signInAgain();
      else if (answer.ok && answer.body) {
        link('live');
        const reader = new EventReader();
        const pieces = answer.body.pipeThrough(new TextDecoderStream()).getReader();
        for (;;) {
          // A comment comes every 15 seconds: after 45 without a word the connection is dead (a laptop slept).
          let timer: ReturnType<typeof setTimeout> | undefined;
          const late = new Promise<'late'>((resolve) => (timer = setTimeout(resolve, 45_000, 'late')));
          const next = await Promise.race([pieces.read(), late]).finally(() => clearTimeout(timer));
          if (next === 'late' || next.done) {
            void pieces.cancel().catch(() => undefined);
            break;
          }
          attempt = 0;
          for (const told of reader.take(next.value)) {
            if (told.id) last = told.id;
            heard(told);
          }
        }
      } else if (answer.status === 403 || answer.status === 404) return;
    } catch {
      if (signal.aborted) return;
    }
    link('waiting');
    await new Promise<void>((resolve) => {
      const timer = setTimeout(done, pauseBefore(attempt++, Math.random()));
      function done() {
        clearTimeout(timer);
        removeEventListener('online', done);
        signal.removeEventListener('abort', done);
        resolve();
      }
      addEventListener('online', done);
      signal.addEventListener('abort', done);
    });
  }
}

/** Watches `url` until the returned function is called. */
export function watch(url: string, heard: Heard, link: (now: Link) => void): () => void {
  const ended = new AbortController();
  const channel = 'BroadcastChannel' in globalThis ? new BroadcastChannel(`todoku:${url}`) : undefined;
  let holder = false;
  let visible: AbortController | undefined;
  let latest: Told | undefined;
  let state: Link = 'connecting';
  const say = (message: Message) => channel?.postMessage(message);

  if (channel)
    channel.onmessage = ({ data }: MessageEvent<Message>) => {
      if ('ask' in data) {
        if (!holder) return;
        say({ link: state });
        if (latest) say({ told: latest });
      } else if (holder) return;
      else if ('told' in data) heard(data.told);
      else link(data.link);
    };

  const lead = async (signal: AbortSignal) => {
    holder = true;
    await read(
      url,
      (told) => {
        latest = told;
        heard(told);
        say({ told });
      },
      (now) => {
        state = now;
        link(now);
        say({ link: now });
      },
      signal,
    );
    holder = false;
  };
  const begin = () => {
    if (visible || document.hidden) return;
    const mine = (visible = new AbortController());
    say({ ask: true });
    if (navigator.locks && channel)
      navigator.locks.request(`todoku:${url}`, { signal: mine.signal }, () => lead(mine.signal)).catch(() => undefined);
    else void lead(mine.signal);
  };
  const seen = () => {
    if (!document.hidden) begin();
    else {
      visible?.abort();
      visible = undefined;
    }
  };
  document.addEventListener('visibilitychange', seen, { signal: ended.signal });
  begin();
  return () => {
    ended.abort();
    visible?.abort();
    channel?.close();
  };
}
