// Who is signed in, for all pages. What one tab changes the others hear.
import { createContext, type ReactNode, useContext, useEffect, useMemo, useRef, useState } from 'react';
import { door } from '../api/client';
import { own, type Scope, type Session } from '../api/door';

interface Shared {
  session: Session;
  set: (session: Session) => void;
  /** Whether the sign-in has ended while pages are open. */
  ended: boolean;
  resume: (session: Session) => void;
  can: (scope: Scope) => boolean;
}
const Context = createContext<Shared | null>(null);

export function useSession(): Shared {
  const shared = useContext(Context);
  if (!shared) throw new Error('no session');
  return shared;
}

const tabs = 'BroadcastChannel' in globalThis ? new BroadcastChannel('todoku:session') : undefined;

export function SessionProvider({ first, children }: { first: Session; children: ReactNode }) {
  const [session, keep] = useState(first);
  const [ended, setEnded] = useState(false);
  const waiting = useRef<((again: boolean) => void)[]>([]);
  const present = useRef(first);

  const shared = useMemo(() => {
    const take = (next: Session) => {
      door.token = next.token ?? '';
      present.current = next;
      keep(next);
    };
    const set = (next: Session) => {
      take(next);
      tabs?.postMessage('changed');
    };
    const settle = (again: boolean) => {
      for (const done of waiting.current.splice(0)) done(again);
      setEnded(false);
    };
    return {
      take,
      set,
      settle,
      resume: (next: Session) => {
        // Somebody else's pages are not shown to whoever signs in now.
        if (next.person?.id !== present.current.person?.id) return location.assign('/');
        set(next);
        settle(true);
      },
    };
  }, []);

  useEffect(() => {
    door.token = present.current.token ?? '';
    door.refresh = async () => {
      const now = await own.session();
      if (now.signed_in) shared.take(now);
      return now.token ?? '';
    };
    door.signInAgain = async () => {
      if (!present.current.signed_in) return false;
      const now = await own.session().catch(() => null);
      if (now?.signed_in && !now.half) {
        shared.take(now);
        return true;
      }
      setEnded(true);
      return new Promise<boolean>((resolve) => waiting.current.push(resolve));
    };
    if (tabs)
      tabs.onmessage = async () => {
        const now = await own.session().catch(() => null);
        if (!now) return;
        if (now.signed_in && !now.half && now.person?.id === present.current.person?.id) {
          shared.take(now);
          shared.settle(true);
        } else if (present.current.signed_in && !now.signed_in) setEnded(true);
        else if (!present.current.signed_in && now.signed_in) location.reload();
      };
  }, [shared]);

  return (
    <Context
      value={{
        session,
        set: shared.set,
        ended,
        resume: shared.resume,
        can: (scope) => session.scopes?.includes(scope) ?? false,
      }}
    >
      {children}
    </Context>
  );
}
