// What waits for a second person's approval, as lists and pages need it (docs/approval.md).
import { api, type Answer, Refused } from '../api/client';
import type { components } from '../api/schema';

export type Approval = components['schemas']['Approval'];
type Progress = Answer<'/deliveries/{delivery_id}/progress', 'get'>;

/** What the answer to a commit warns of, where it does not go by itself. */
export const WAITS = 'waits_for_approval';

/** Null: none was ever asked for. */
export async function approvalOf(delivery_id: number, signal?: AbortSignal): Promise<Approval | null> {
  try {
    return await api.get('/deliveries/{delivery_id}/approval', { path: { delivery_id }, signal });
  } catch (found) {
    if (found instanceof Refused && found.status === 404) return null;
    throw found;
  }
}

/** What somebody who decides has in view. */
export interface Asked {
  approval: Approval;
  pace: Progress['pace'];
  quiet_hours: Progress['quiet_hours'];
}

/**
 * The revision is read first: what is changed between the two is then seen with the revision of before, and deciding
 * about that one is refused.
 */
export async function askedOf(delivery_id: number, signal?: AbortSignal): Promise<Asked | null> {
  const approval = await approvalOf(delivery_id, signal);
  if (!approval) return null;
  const { pace, quiet_hours } = await api.get('/deliveries/{delivery_id}/progress', { path: { delivery_id }, signal });
  return { approval, pace, quiet_hours };
}

interface Listed {
  delivery_id: number;
  delivery_type: string;
  status: string;
}

/** Which rows of a list may wait: bulk that is committed and has not begun. */
export const mayWait = ({ delivery_type, status }: Listed): boolean => delivery_type === 'BULK' && (status === 'RESERVE' || status === 'WAIT');

/** Those of `rows` that wait, by their numbers. Where more wait than are listed, the others are asked for one by one. */
export async function waitingAmong(rows: readonly Listed[], signal?: AbortSignal): Promise<Map<number, Approval>> {
  const candidates = rows.filter(mayWait);
  if (candidates.length === 0) return new Map();
  const { approvals, more } = await api.get('/deliveries/approvals', { signal });
  const found = new Map(approvals.map((each) => [each.delivery_id, each]));
  const unknown = more ? candidates.filter(({ delivery_id }) => !found.has(delivery_id)) : [];
  for (const each of await Promise.all(unknown.map(({ delivery_id }) => approvalOf(delivery_id, signal))))
    if (each?.state === 'waiting') found.set(each.delivery_id, each);
  return new Map(candidates.flatMap(({ delivery_id }) => { const each = found.get(delivery_id); return each ? [[delivery_id, each] as const] : []; }));
}
