// The door's own calls, `/console/v1`: signing in, one's own account, people, rules, audit.
import { call, queryOf, Refused } from './client';

export type Role = 'owner' | 'sender' | 'viewer' | 'support' | 'operator';
export const ROLES: readonly Role[] = ['owner', 'sender', 'viewer', 'support'];
export type Scope = 'send' | 'read' | 'content' | 'suppress' | 'admin';

export interface Person {
  id: number | string;
  name: string;
  email: string;
  role: Role;
  language: 'en' | 'ja';
}
export interface Session {
  signed_in: boolean;
  first_run?: boolean;
  half?: boolean;
  must_set_up_second_factor?: boolean;
  token?: string;
  version?: string;
  person?: Person;
  account?: string | null;
  scopes?: Scope[];
  second_factor?: { on: boolean; required: boolean; recovery_left: number };
}
export interface SignIn {
  id: number | string;
  created: string;
  used: string;
  from: string;
  agent: string;
  current: boolean;
}
export interface Member extends Person {
  suspended: boolean;
  confirmed: boolean;
  seen: string | null;
  second_factor: boolean;
  /** Has not set a password yet. */
  invited: boolean;
}
export type LinkPurpose = 'first_operator' | 'invitation' | 'reset' | 'confirm';
export interface Link {
  purpose: LinkPurpose;
  email?: string;
  name?: string;
  account?: string;
}
export interface Rules {
  second_factor: boolean;
  networks: string[];
  approval: boolean;
}
export interface AuditLine {
  at: string;
  actor: string;
  action: string;
  account: string;
  delivery_id?: number;
  email_id?: number;
  origin: string;
}

const at = (path: string) => `/console/v1/${path}`;
const part = (value: string | number) => encodeURIComponent(String(value));
const plain = { plain: true };

export const own = {
  session: () => call<Session>('GET', at('session'), undefined, plain),
  signIn: (email: string, password: string) => call<Session>('POST', at('session'), { email, password }, plain),
  secondFactor: (given: { code: string } | { recovery_code: string }) =>
    call<Session>('POST', at('session/second-factor'), given, plain),
  signOut: () => call<void>('DELETE', at('session'), undefined, plain),
  askReset: (email: string) => call<unknown>('POST', at('resets'), { email }, plain),
  lookAtLink: (token: string) => call<Link>('POST', at('links/look'), { token }, plain),
  useLink: (given: { token: string; password?: string; name?: string; email?: string; language?: string }) =>
    call<Session>('POST', at('links/use'), given, plain),

  change: (given: { name?: string; language?: string }) => call<Session>('PATCH', at('me'), given),
  password: (current: string, next: string) => call<Session>('PUT', at('password'), { current, new: next }),
  beginTotp: () => call<{ secret: string; uri: string }>('POST', at('totp')),
  confirmTotp: (code: string) => call<{ recovery_codes: string[]; session: Session }>('POST', at('totp/confirm'), { code }),
  endTotp: (password: string) => call<Session>('DELETE', at('totp'), { password }),
  recoveryCodes: (password: string) => call<{ recovery_codes: string[] }>('POST', at('recovery-codes'), { password }),
  signIns: () => call<{ sign_ins: SignIn[] }>('GET', at('sign-ins')),
  endSignIn: (id: SignIn['id']) => call<void>('DELETE', at(`sign-ins/${part(id)}`)),
  endOtherSignIns: () => call<{ ended: number }>('DELETE', at('sign-ins')),
  actFor: (account: string | null) => call<Session>('PUT', at('acting-for'), { account }),
  /** What was typed at a place and not sent, of this person; gone at sign-out. Null: nothing. */
  text: <T>(place: string) => call<T>('GET', at(`texts/${part(place)}`)).catch((found: unknown) => {
    if (found instanceof Refused && found.status === 404) return null;
    throw found;
  }),
  keepText: (place: string, text: unknown) => call<void>('PUT', at(`texts/${part(place)}`), text),
  dropText: (place: string) => call<void>('DELETE', at(`texts/${part(place)}`)),
  accounts: async () => {
    const all: { name: string }[] = [];
    for (let after: string | null | undefined = ''; after != null; ) {
      const page: { accounts: { name: string }[]; next?: string | null } = await call('GET', at(`accounts${queryOf({ after, limit: 1_000 })}`));
      all.push(...page.accounts);
      after = page.next || null;
    }
    return { accounts: all };
  },
};

export const others = {
  list: () => call<{ people: Member[] }>('GET', at('people')),
  invite: (given: { email: string; name: string; role: Role; language: string }) =>
    call<Member & { mailed: boolean; command?: string }>('POST', at('people'), given),
  change: (id: Member['id'], given: { role?: Role; name?: string; suspended?: boolean }) =>
    call<Member>('PATCH', at(`people/${part(id)}`), given),
  remove: (id: Member['id']) => call<void>('DELETE', at(`people/${part(id)}`)),
  inviteAgain: (id: Member['id']) =>
    call<{ mailed?: boolean; command?: string }>('POST', at(`people/${part(id)}/invitation`)),
  rules: () => call<Rules>('GET', at('rules')),
  setRules: (rules: Rules) => call<Rules>('PUT', at('rules'), rules),
  audit: (query: { since?: string; after?: number; limit?: number }) =>
    call<{ audit: AuditLine[]; next?: number }>('GET', at(`audit${queryOf(query)}`)),
};
