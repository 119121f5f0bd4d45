// What a text that somebody typed may be, the likeliest first.
export interface Way {
  email?: string;
  reference?: string;
  message_id?: string;
  email_id?: number;
}

export function waysToAsk(typed: string): Way[] {
  const text = typed.trim();
  const isBracketed = /^<[^<>\s]+>$/.test(text);
  if (isBracketed) return [{ message_id: text }];
  const ways: Way[] = [];
  if (/^[^@\s]+@[^@\s]+$/.test(text)) ways.push({ email: text }, { message_id: text });
  ways.push({ reference: text });
  if (/^[1-9]\d{0,15}$/.test(text)) ways.push({ email_id: Number(text) });
  return ways;
}

/** The domain of what was pasted: an address, a URL, or the name itself. */
export function domainIn(typed: string): string {
  return typed.trim().replace(/^[a-z][a-z0-9+.-]*:\/\//i, '').replace(/[/?#].*$/, '').replace(/^.*@/, '').replace(/:\d+$/, '').replace(/\.$/, '');
}
