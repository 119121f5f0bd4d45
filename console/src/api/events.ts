// Server-sent events over fetch, read line by line (HTML, section 9.2.6): what EventSource does, and besides
// that the answer's status is seen, so that an ended sign-in asks for another instead of trying for ever.

export interface Told {
  type: string;
  data: string;
  id?: string;
}

/** Takes octets as they come and gives whole events. */
export class EventReader {
  private rest = '';
  private type = '';
  private lines: string[] = [];
  private id: string | undefined;

  take(text: string): Told[] {
    const found: Told[] = [];
    this.rest += text;
    for (;;) {
      const end = /\r\n|\n|\r(?=[^\n])/.exec(this.rest);
      if (!end) return found;
      const line = this.rest.slice(0, end.index);
      this.rest = this.rest.slice(end.index + end[0].length);
      const told = this.line(line);
      if (told) found.push(told);
    }
  }

  private line(line: string): Told | undefined {
    if (line === '') {
      const told = this.lines.length ? { type: this.type || 'message', data: this.lines.join('\n'), id: this.id } : undefined;
      this.lines = [];
      this.type = '';
      return told;
    }
    const colon = line.indexOf(':');
    if (colon === 0) return undefined;
    const name = colon < 0 ? line : line.slice(0, colon);
    const value = colon < 0 ? '' : line.slice(colon + 1).replace(/^ /, '');
    if (name === 'data') this.lines.push(value);
    else if (name === 'event') this.type = value;
    else if (name === 'id' && !value.includes('\0')) this.id = value;
    return undefined;
  }
}

/** How long to wait before the next try: grows to half a minute, and is spread so that not all come at once. */
export function pauseBefore(attempt: number, chance: number): number {
  return Math.min(30_000, 500 * 2 ** Math.min(attempt, 6)) * (0.5 + chance / 2);
}
