// Instants as the reader's clock shows them, and how long something takes.
import type { Messages } from '../messages/en';

const formats = new Map<string, Intl.DateTimeFormat>();
function format(language: string, options: Intl.DateTimeFormatOptions): Intl.DateTimeFormat {
  const key = language + JSON.stringify(options);
  const found = formats.get(key) ?? new Intl.DateTimeFormat(language === 'en' ? 'en-GB' : language, options);
  formats.set(key, found);
  return found;
}

export function instantOf(text: string | null | undefined): Date | null {
  if (!text) return null;
  const instant = new Date(text);
  return Number.isNaN(instant.getTime()) ? null : instant;
}

// As the engine writes times in its sentences, which stand beside ours: 2026-04-01 09:12:07. Swedish is written so.
const WRITTEN = 'sv-SE';

/** The reader's day, as fields for dates have it: 2026-04-01. */
export const dayOf = (at: number): string => format(WRITTEN, { dateStyle: 'short' }).format(at);

export const exact = (at: Date, timeZone?: string) => format(WRITTEN, { dateStyle: 'short', timeStyle: 'medium', timeZone }).format(at);

/** With its zone: what the title of every time says. */
export function exactIn(at: Date, language: string, timeZone?: string): string {
  const zone = format(language, { timeZoneName: 'short', timeZone }).formatToParts(at).find(({ type }) => type === 'timeZoneName')?.value ?? '';
  return `${exact(at, timeZone)} ${zone}`;
}

/** "3 minutes ago" within the hour, the time of day today, else the date with it. */
export function near(at: Date, now: number, language: string, timeZone?: string): string {
  const seconds = Math.round((at.getTime() - now) / 1000);
  const relative = new Intl.RelativeTimeFormat(language, { numeric: 'auto' });
  if (Math.abs(seconds) < 45) return relative.format(0, 'second');
  if (Math.abs(seconds) < 3_600) return relative.format(Math.round(seconds / 60), 'minute');
  const minute = format(WRITTEN, { dateStyle: 'short', timeStyle: 'short', timeZone });
  const [day, time = ''] = minute.format(at).split(' ');
  return minute.format(now).startsWith(`${day} `) ? time : `${day} ${time}`;
}

/** The two largest units of a span. */
export function span(seconds: number, m: Messages): string {
  const days = Math.floor(seconds / 86_400);
  const hours = Math.floor((seconds % 86_400) / 3_600);
  const minutes = Math.floor((seconds % 3_600) / 60);
  if (days) return [m.time.days(days), hours && m.time.hours(hours)].filter(Boolean).join(' ');
  if (hours) return [m.time.hours(hours), minutes && m.time.minutes(minutes)].filter(Boolean).join(' ');
  if (minutes) return m.time.minutes(minutes);
  return m.time.seconds(Math.max(0, Math.round(seconds)));
}

/** How long something took: below a second in milliseconds, below a minute to a tenth of a second. */
export function took(milliseconds: number, m: Messages): string {
  if (milliseconds < 1_000) return m.webhooks.ms(milliseconds);
  if (milliseconds < 60_000) return m.time.seconds(Math.round(milliseconds / 100) / 10);
  return span(Math.round(milliseconds / 1_000), m);
}
