// What operators see of the installation, and do to it: the operations of the admin socket, at the door.
import { call, queryOf } from './client';

export interface Lane {
  site: string;
  source: string;
  waiting: number;
  connections: number;
  connections_wanted: number;
  connections_max: number;
  messages_per_second: number | null;
  messages_per_second_max: number | null;
  throttled_at: number | null;
  reason: string;
  since: string | null;
  latency_ms: number;
  rests_until: string | null;
  eases_at: string | null;
  noted: string | null;
}
export interface Told {
  text: string;
  text_ja: string;
}
export interface Queue {
  class: string;
  waiting: number;
  earliest_due?: string;
  set_aside: number;
}
export interface Status {
  version: string;
  running: boolean;
  draining?: boolean;
  started?: string;
  missing_roles?: string[];
  differences: Told[];
  journal?: string;
  shipping?: string;
  hold: Told[];
  queues: Queue[];
  reserved?: { deliveries: number; recipients: number; first?: string; more: boolean };
  held_credentials: { account: string; name: string; held: string; held_because: string }[];
  more_held: boolean;
  suspended: { name: string; deliveries: number; recipients: number }[];
  more_suspended: boolean;
}
export interface Node {
  key: number;
  node: string;
  roles: string;
  host: string;
  version: string;
  entered: string;
  state: 'alive' | 'lapsed' | 'void';
  lease_left_ms: number;
  batches: number;
  recipients: number;
  leads: boolean;
  sources: string[];
}
export interface Volume {
  volume: number;
  taken: number;
  left: number;
}
export interface Source {
  name: string;
  traffic: string;
  via: string;
  state: string;
  warm_up: (Volume & { first_day: string; today: string; step: number; steps: number; volumes: number[]; overflow: string; receivers: (Volume & { receiver: string })[]; days: { day: string; taken: number }[] }) | null;
}
export interface StuckMail {
  since: string;
  account: string;
  delivery_id: number;
  email_id: number;
  address: string;
}
export interface Account {
  name: string;
  weight: number;
  suspended: boolean;
  sandbox: boolean;
  created: string;
  requests_per_minute: number;
  mails_per_minute: number;
  mails_per_day: number;
  mails_per_month: number;
  keys: number;
}
export type Limits = Pick<Account, 'weight' | 'requests_per_minute' | 'mails_per_minute' | 'mails_per_day' | 'mails_per_month'>;

const at = (path: string) => `/console/v1/${path}`;
const part = (value: string | number) => encodeURIComponent(String(value));

export const operations = {
  status: () => call<Status>('GET', at('operations/status')),
  nodes: () => call<{ nodes: Node[] }>('GET', at('operations/nodes')),
  lanes: (query: { site?: string; source?: string; all?: boolean; limit: number }) => call<{ lanes: Lane[] }>('GET', at(`operations/lanes${queryOf({ ...query, site: query.site?.trim(), all: query.all || undefined })}`)),
  sources: () => call<{ sources: Source[] }>('GET', at('operations/sources')),
  stuck: (limit: number) => call<{ mails: StuckMail[]; more: boolean }>('GET', at(`operations/stuck${queryOf({ limit })}`)),
  releaseStuck: (mail: StuckMail) => call<void>('POST', at(`operations/stuck/${part(mail.account)}/${mail.email_id}/release`), {}),
  releaseHeld: (account: string, name: string) => call<void>('POST', at(`operations/held/${part(account)}/${part(name)}/release`), {}),
  accounts: (after?: string) => call<{ accounts: Account[]; next?: string }>('GET', at(`accounts${queryOf({ after, limit: 100 })}`)),
  addAccount: (given: { name: string; sandbox?: boolean }) => call<Account>('POST', at('accounts'), given),
  changeAccount: (name: string, given: Partial<Limits> & { suspended?: boolean }) => call<Account & { deliveries: number; recipients: number }>('PATCH', at(`accounts/${part(name)}`), given),
};
