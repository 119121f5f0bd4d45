// Who is signed in, for all pages. What one tab changes the others hear.
import { createContext, type ReactNode, useContext, useEffect, useMemo, useRef, useState } from 'react';
import { door } from '../api/client';
import { own, type Scope, type Session } from '../api/door';
import { forget } from './load';

interface Shared {
  session: Session;
  set: (session: Session) => void;
  /** Whether the sign-in has ended while pages are open. */
  ended: boolean;
  /** Whether the browser has another person's sign-in by now, or another account's. */
  moved: boolean;
  /** The pages stay as they are, to read what was typed. */
  stay: () => void;
  resume: (session: Session) => unknown;
  can: (scope: Scope) => boolean;
}
const Context = createContext<Shared | null>(null);

export function useSession(): Shared {
  const shared = useContext(Context);
  if (!shared) throw new Error('no session');
  return shared;
}

/** For whom and for which account pages are: "17/shop", "3/" of an operator who acts for none; "": of nobody yet. */
function actingAs({ person, account }: Session): string {
  return person ? `${person.id}/${account ?? ''}` : '';
}

const tabs = 'BroadcastChannel' in globalThis ? new BroadcastChannel('todoku:session') : undefined;

export function SessionProvider({ first, children }: { first: Session; children: ReactNode }) {
  const [session, keep] = useState(first);
  const [ended, setEnded] = useState(false);
  const [moved, setMoved] = useState(false);
  const waiting = useRef<((again: boolean) => void)[]>([]);
  const present = useRef(first);

  const shared = useMemo(() => {
    const take = (next: Session) => {
      door.token = next.token ?? '';
      // What was seen belongs to whom it was shown.
      if (actingAs(next) !== actingAs(present.current)) forget();
      door.as = actingAs(next);
      present.current = next;
      setMoved(false);
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
    // What the browser has by now. False: it is not for whom the pages are, which stay as they are and send nothing.
    const see = (now: Session): boolean => {
      if (!now.signed_in || now.half) return false;
      const as = actingAs(present.current);
      if (!as) location.reload();
      else if (actingAs(now) === as) take(now);
      else setMoved(true);
      return actingAs(now) === as;
    };
    return {
      see,
      set,
      settle,
      stay: () => setMoved(false),
      resume: async (next: Session) => {
        const { person, account } = present.current;
        // Somebody else's pages are not shown to whoever signs in now.
        if (next.person?.id !== person?.id) return location.assign('/');
        if (account && next.account !== account) {
          // Who operates acts for none at first.
          Object.assign(door, { token: next.token ?? '', as: actingAs(next) });
          const acting = await own.actFor(account).catch(() => null);
          if (!acting) return location.assign('/');
          set(acting);
        } else set(next);
        settle(true);
      },
    };
  }, []);

  useEffect(() => {
    Object.assign(door, { token: present.current.token ?? '', as: actingAs(present.current) });
    door.refresh = async () => {
      shared.see(await own.session());
      return door.token;
    };
    door.signInAgain = async () => {
      if (!present.current.signed_in) return false;
      const now = await own.session().catch(() => null);
      if (now?.signed_in && !now.half) return shared.see(now);
      setEnded(true);
      return new Promise<boolean>((resolve) => waiting.current.push(resolve));
    };
    if (tabs)
      tabs.onmessage = async () => {
        const now = await own.session().catch(() => null);
        if (!now) return;
        if (present.current.signed_in && !now.signed_in) setEnded(true);
        else if (now.signed_in && !now.half) shared.settle(shared.see(now));
      };
  }, [shared]);

  return (
    <Context
      value={{
        session,
        set: shared.set,
        ended,
        moved,
        stay: shared.stay,
        resume: shared.resume,
        can: (scope) => session.scopes?.includes(scope) ?? false,
      }}
    >
      {children}
    </Context>
  );
}
