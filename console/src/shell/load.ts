// What a page shows of the engine: loaded by a key, shown at once when it was seen before, and loaded again then.
import { useCallback, useEffect, useRef, useState } from 'react';

const seen = new Map<string, unknown>();
const SEEN_MAX = 60;

export interface Loaded<T> {
  data: T | undefined;
  trouble: unknown;
  loading: boolean;
  reload: () => void;
  put: (data: T) => void;
}

export function forget(): void {
  seen.clear();
}

export function useLoad<T>(key: string | null, load: (signal: AbortSignal) => Promise<T>): Loaded<T> {
  const [state, setState] = useState<{ key: string | null; data?: T; trouble?: unknown; loading: boolean }>(() => ({
    key,
    data: key ? (seen.get(key) as T | undefined) : undefined,
    loading: key !== null,
  }));
  const [turn, setTurn] = useState(0);
  const latest = useRef(load);
  latest.current = load;

  useEffect(() => {
    if (key === null) return setState({ key, loading: false });
    const ended = new AbortController();
    setState((was) => ({
      key,
      data: (seen.get(key) as T | undefined) ?? (was.key === key ? was.data : undefined),
      loading: true,
    }));
    latest.current(ended.signal).then(
      (data) => {
        if (ended.signal.aborted) return;
        seen.delete(key);
        seen.set(key, data);
        if (seen.size > SEEN_MAX) seen.delete(seen.keys().next().value as string);
        setState({ key, data, loading: false });
      },
      (trouble: unknown) => {
        if (!ended.signal.aborted) setState((was) => ({ ...was, trouble, loading: false }));
      },
    );
    return () => ended.abort();
  }, [key, turn]);

  const now = state.key === key ? state : { key, loading: key !== null, data: key ? (seen.get(key) as T) : undefined };
  return {
    data: now.data,
    trouble: 'trouble' in now ? now.trouble : undefined,
    loading: now.loading,
    reload: useCallback(() => setTurn((was) => was + 1), []),
    put: useCallback(
      (data: T) => {
        if (key) seen.set(key, data);
        setState({ key, data, loading: false });
      },
      [key],
    ),
  };
}

/** Changes while somebody types ask once, when they pause. */
export function useSettled<T>(value: T, ms = 400): T {
  const [settled, setSettled] = useState(value);
  useEffect(() => {
    const timer = setTimeout(setSettled, ms, value);
    return () => clearTimeout(timer);
  }, [value, ms]);
  return settled;
}
