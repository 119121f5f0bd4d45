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

/** The reader's day, as fields for dates have it: 2026-04-01. */
export const dayOf = (at: number): string => format('sv-SE', { dateStyle: 'short' }).format(at);

export const exact = (at: Date, language: string, timeZone?: string) =>
  format(language, { dateStyle: 'medium', timeStyle: 'medium', timeZone }).format(at);

/** To the second and with its zone: what the title of every time says. */
export const exactIn = (at: Date, language: string, timeZone?: string) =>
  format(language, { year: 'numeric', month: 'short', day: 'numeric', hour: '2-digit', minute: '2-digit', second: '2-digit', timeZoneName: 'short', timeZone }).format(at);

/** "3 minutes ago" within the hour, the time of day today, else the date. */
export function near(at: Date, now: number, language: string, timeZone?: string): string {
  const seconds = Math.round((at.getTime() - now) / 1000);
  const relative = new Intl.RelativeTimeFormat(language, { numeric: 'auto' });
  if (Math.abs(seconds) < 45) return relative.format(0, 'second');
  if (Math.abs(seconds) < 3_600) return relative.format(Math.round(seconds / 60), 'minute');
  const day = format(language, { year: 'numeric', month: '2-digit', day: '2-digit', timeZone });
  if (day.format(at) === day.format(now)) return format(language, { hour: '2-digit', minute: '2-digit', timeZone }).format(at);
  const sameYear = format(language, { year: 'numeric', timeZone });
  return format(language, {
    ...(sameYear.format(at) === sameYear.format(now) ? {} : { year: 'numeric' }),
    month: 'short', day: 'numeric', hour: '2-digit', minute: '2-digit', timeZone,
  }).format(at);
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
