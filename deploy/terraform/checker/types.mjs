// SPDX-License-Identifier: Apache-2.0
// Types of Terraform's values, and which may stand where which is wanted.
//   { kind: 'string' | 'number' | 'bool' | 'any' | 'null' }, { kind: 'list' | 'set' | 'map', of },
//   { kind: 'tuple', items }, { kind: 'object', members: { name: { type, optional } }, what }

export const ANY = { kind: 'any' };
export const STRING = { kind: 'string' };
export const NUMBER = { kind: 'number' };
export const BOOL = { kind: 'bool' };
export const NULL = { kind: 'null' };
export const listOf = (of) => ({ kind: 'list', of });
export const setOf = (of) => ({ kind: 'set', of });
export const mapOf = (of) => ({ kind: 'map', of });
export const objectOf = (members, what) => ({ kind: 'object', members, what });

const CODES = { s: STRING, n: NUMBER, b: BOOL, a: ANY, ls: listOf(STRING), ln: listOf(NUMBER), ms: mapOf(STRING),
  mb: mapOf(BOOL) };

// Of a letter of schema.json.
export function typeOfCode(code) {
  return CODES[code.replace('!', '')];
}

export function show(type) {
  if (type.of) return `${type.kind}(${show(type.of)})`;
  if (type.kind === 'object') return type.what ?? `object(${Object.keys(type.members).join(', ')})`;
  return type.kind;
}

// The type of one element of a collection.
export function elementOf(type) {
  if (type.of) return type.of;
  if (type.kind === 'tuple') return common(type.items);
  if (type.kind === 'object') return common(Object.values(type.members).map((member) => member.type));
  return ANY;
}

// What several have in common: the first that is known, if all may stand for it.
export function common(types) {
  const known = types.filter((type) => type.kind !== 'any' && type.kind !== 'null');
  if (known.length === 0) return ANY;
  const [first] = known;
  if (known.some((type) => mismatch(type, first) || mismatch(first, type))) return ANY;
  return first;
}

const SCALARS = ['string', 'number', 'bool'];

// Why `from` may not stand where `to` is wanted, in words; null if it may. Numbers and booleans become strings by
// themselves; the other way only strings that happen to be numbers do, which is found out on AWS: that is a mismatch.
export function mismatch(from, to) {
  if (['any', 'null'].includes(from.kind) || to.kind === 'any') return null;
  const wrong = `${show(from)} where ${show(to)} is wanted`;
  if (SCALARS.includes(to.kind)) {
    return from.kind === to.kind || (to.kind === 'string' && SCALARS.includes(from.kind)) ? null : wrong;
  }
  if (to.kind === 'list' || to.kind === 'set') {
    if (from.kind === 'tuple') return firstOf(from.items.map((item) => mismatch(item, to.of)));
    return from.kind === 'list' || from.kind === 'set' ? mismatch(from.of, to.of) : wrong;
  }
  if (to.kind === 'map') {
    if (from.kind === 'object') {
      return firstOf(Object.values(from.members).map((member) => mismatch(member.type, to.of)));
    }
    return from.kind === 'map' ? mismatch(from.of, to.of) : wrong;
  }
  if (to.kind === 'object') return objectMismatch(from, to, wrong);
  return null;
}

function objectMismatch(from, to, wrong) {
  if (from.kind === 'map') return null;
  if (from.kind !== 'object') return wrong;
  for (const [name, member] of Object.entries(to.members)) {
    const given = from.members[name];
    if (!given) {
      if (member.optional) continue;
      return `an object without "${name}"`;
    }
    const inner = mismatch(given.type, member.type);
    if (inner) return `"${name}": ${inner}`;
  }
  const foreign = Object.keys(from.members).find((name) => !to.members[name]);
  return foreign ? `an object with "${foreign}", which nobody takes` : null;
}

function firstOf(reasons) {
  return reasons.find((reason) => reason) ?? null;
}
