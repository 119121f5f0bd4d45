// From the door to the pages: who is not signed in sees the door whatever the address, and is then where it says.
import { Component, type ReactNode, useCallback, useMemo, useState } from 'react';
import { door, Refused } from '../api/client';
import type { Session } from '../api/door';
import { Button, Toasts, Trouble } from '../design/parts';
import { catalogueOf, type Language, MessagesProvider, useMessages } from '../messages';
import type { Messages } from '../messages/en';
import { chooseLanguage } from './choices';
import { Door, FirstRun, Forgot, LinkPage, Moved, MustSetUp, SecondFactor, SignIn, SignInAgain } from './door';
import { Frame } from './frame';
import { usePath } from './router';
import { SessionProvider, useSession } from './session';

export function Root({ session, language, messages }: { session: Session | null; language: Language; messages: Messages }) {
  const [spoken, setSpoken] = useState({ language, messages });
  door.language = spoken.language;
  const speak = useCallback((next: Language) => {
    chooseLanguage(next);
    void catalogueOf(next).then((found) => {
      door.language = next;
      document.documentElement.lang = next;
      setSpoken({ language: next, messages: found });
    });
  }, []);
  const value = useMemo(() => ({ ...spoken, speak }), [spoken, speak]);
  return (
    <MessagesProvider value={value}>
      <Guard>
        {session ? <SessionProvider first={session}><Pages /></SessionProvider> : <NoAnswer />}
        <Toasts />
      </Guard>
    </MessagesProvider>
  );
}

function NoAnswer() {
  return <Door title=""><Trouble of={new Refused(0, [])} again={() => location.reload()} /></Door>;
}
function Pages() {
  const path = usePath();
  const { session, ended, moved, stay } = useSession();
  if (path === '/link') return <LinkPage />;
  if (!session.signed_in) {
    if (path === '/forgot') return <Forgot />;
    return session.first_run ? <FirstRun /> : <SignIn />;
  }
  if (session.half) return <SecondFactor />;
  if (session.must_set_up_second_factor) return <MustSetUp />;
  return (
    <>
      <Frame />
      {ended && <SignInAgain />}
      {moved && !ended && <Moved close={stay} />}
    </>
  );
}

class Guard extends Component<{ children: ReactNode }, { failed: boolean }> {
  state = { failed: false };
  static getDerivedStateFromError() {
    return { failed: true };
  }
  render() {
    return this.state.failed ? <Fault /> : this.props.children;
  }
}
function Fault() {
  const m = useMessages();
  return (
    <Door title={m.trouble.title}>
      <p>{m.trouble.page}</p>
      <Button first onClick={() => location.reload()}>{m.trouble.again}</Button>
    </Door>
  );
}
