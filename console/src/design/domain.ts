// Names of domains as people read them. The wire has them in ASCII (RFC 5891); what is shown has both, since a name in
// another script may look like one that it is not.
const BASE = 36;
const T_MIN = 1;
const T_MAX = 26;
const LABEL_MAX = 63;

function adapted(delta: number, points: number, isFirst: boolean): number {
  let rest = isFirst ? Math.floor(delta / 700) : delta >> 1;
  rest += Math.floor(rest / points);
  let k = 0;
  for (; rest > ((BASE - T_MIN) * T_MAX) >> 1; k += BASE) rest = Math.floor(rest / (BASE - T_MIN));
  return k + Math.floor(((BASE - T_MIN + 1) * rest) / (rest + 38));
}

/** Punycode (RFC 3492 section 6.2) behind `xn--`; null: it is none. */
function decoded(label: string): string | null {
  const end = label.lastIndexOf('-');
  const points = [...label.slice(0, Math.max(0, end))].map((letter) => letter.codePointAt(0) ?? 0);
  let n = 128;
  let i = 0;
  let bias = 72;
  for (let at = end < 0 ? 0 : end + 1; at < label.length;) {
    const before = i;
    for (let weight = 1, k = BASE; ; k += BASE) {
      const digit = parseInt(label[at++] ?? '', BASE);
      if (Number.isNaN(digit)) return null;
      // Letters are 0 to 25 here, digits behind them; of base 36 it is the other way round.
      const value = digit >= 10 ? digit - 10 : digit + 26;
      i += value * weight;
      const threshold = k <= bias ? T_MIN : k >= bias + T_MAX ? T_MAX : k - bias;
      if (value < threshold) break;
      weight *= BASE - threshold;
    }
    const count = points.length + 1;
    bias = adapted(i - before, count, before === 0);
    n += Math.floor(i / count);
    i %= count;
    if (n > 0x10ffff) return null;
    points.splice(i++, 0, n);
  }
  return String.fromCodePoint(...points);
}

/** With the scripts of its labels; a label that cannot be read stays. */
export function unicodeOf(domain: string): string {
  return domain.split('.').map((label) => (label.startsWith('xn--') && label.length <= LABEL_MAX ? decoded(label.slice(4)) ?? label : label)).join('.');
}
