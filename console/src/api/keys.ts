// What opens the API and the relay of an account: made, listed and ended by its owners, at the door.
import { call, queryOf } from './client';

export const KEY_SCOPES = ['send', 'read', 'content', 'suppress', 'admin'] as const;
export type KeyScope = (typeof KEY_SCOPES)[number] | 'ses';

export interface ApiKey {
  id: number;
  label: string;
  created: string;
  revoked?: string;
  expires?: string;
  expired?: boolean;
  /** The hour; none: never. */
  last_used?: string;
  /** "send,read" */
  scopes: string;
  networks: string[];
}
/** With what is shown once: a token, or what signs requests at the door of SES. */
export interface IssuedKey extends ApiKey {
  login_id: string;
  api_key?: string;
  bearer_token?: string;
  access_key_id?: string;
  secret_access_key?: string;
}
export const TRAFFICS = ['automatic', 'transactional', 'bulk'] as const;
export interface RelayUser {
  name: string;
  traffic: (typeof TRAFFICS)[number];
  networks: string[];
  from_address: string;
  created: string;
  expires?: string;
  expired: boolean;
  last_used?: string;
  revoked?: string;
  held?: string;
  held_because?: string;
  /** Until then the password before the last rotation works, too. */
  previous_until?: string;
}
export interface IssuedUser extends RelayUser {
  password: string;
}

const at = (path: string) => `/console/v1/${path}`;
const part = (value: string | number) => encodeURIComponent(String(value));

export const keys = {
  list: () => call<{ keys: ApiKey[] }>('GET', at('keys')),
  add: (given: { label: string; scopes: KeyScope[]; networks?: string[]; days?: number }) => call<IssuedKey>('POST', at('keys'), given),
  rotate: (id: number, overlap_hours: number) => call<{ key: IssuedKey; old_expires?: string }>('POST', at(`keys/${part(id)}/rotation`), { overlap_hours }),
  end: (id: number) => call<void>('DELETE', at(`keys/${part(id)}`)),
};
export const users = {
  list: (after?: string) => call<{ credentials: RelayUser[]; next?: string }>('GET', at(`smtp-credentials${queryOf({ after })}`)),
  add: (given: { name: string; traffic?: string; networks?: string[]; from_address?: string; days?: number }) => call<IssuedUser>('POST', at('smtp-credentials'), given),
  rotate: (name: string, overlap_hours: number) => call<IssuedUser>('POST', at(`smtp-credentials/${part(name)}/rotation`), { overlap_hours }),
  end: (name: string) => call<void>('DELETE', at(`smtp-credentials/${part(name)}`)),
};
