// SPDX-License-Identifier: Apache-2.0
// What the policies share: the resources of a program, their values, and telling.
import fs from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { Unknown, Values } from '../values.mjs';

// Where todoku's own sources are; TODOKU_PROJECT names another place, which the tests do.
const PROJECT = process.env.TODOKU_PROJECT ??
  path.resolve(path.dirname(fileURLToPath(import.meta.url)), '../../../..');

// A file of todoku itself, from which a rule takes what it asks for.
export function sourceOf(name) {
  return fs.readFileSync(path.join(PROJECT, name), 'utf8');
}

// The groups of a pattern that must stand in such a file.
export function takeFrom(name, pattern) {
  const found = sourceOf(name).match(pattern);
  if (!found) throw new Error(`${name} has no ${pattern} any more: adapt the rule that reads it`);
  return found.slice(1);
}

export const isUnknown = (value) => value instanceof Unknown;

export class House {
  constructor(modules, parser, schema, findings) {
    Object.assign(this, { modules: [...modules.values()], schema, findings });
    this.values = new Values(parser);
  }

  // Every block of a type: [Item].
  all(type, kind = 'resource') {
    return this.modules.flatMap((module) => module.top
      .filter((block) => block.type === kind && (kind === 'module' || block.labels[0] === type))
      .map((block) => new Item(this, module, block)));
  }

  tell(at, rule, what, remedy) { this.findings.add(at, rule, what, remedy); }
}

// A block with its values.
export class Item {
  constructor(house, module, block, names = {}) {
    Object.assign(this, { house, module, block, names });
    this.shown = block.labels.join(' ') || block.type;
  }

  instances() {
    return this.house.values.instances(this.block, this.module)
      .map((names) => new Item(this.house, this.module, this.block, names));
  }

  value(name) {
    return this.house.values.of(this.block.attributes.get(name), this.module, this.names);
  }

  // As it is written.
  text(name) { return this.block.attributes.get(name)?.text ?? ''; }

  // Inner blocks of a name, those that are made by `dynamic`, too.
  blocks(name) {
    return this.block.blocks.flatMap((inner) => {
      if (inner.type === name) return [inner];
      return inner.type === 'dynamic' && inner.labels[0] === name
        ? inner.blocks.filter((each) => each.type === 'content') : [];
    }).map((inner) => new Item(this.house, this.module, inner, this.names));
  }

  // A finding at an argument, or where that is missing at the block.
  tell(rule, name, what, remedy) {
    this.house.tell(this.block.attributes.get(name) ?? this.block, rule, `${this.shown}: ${what}`, remedy);
  }

  // The argument must stand there with one of these values.
  must(rule, name, wanted, why) {
    const value = this.value(name);
    const allowed = Array.isArray(wanted) ? wanted : [wanted];
    if (allowed.includes(value)) return;
    this.tell(rule, name, why, `Set ${name} = ${allowed.map((each) => JSON.stringify(each)).join(' or ')}`);
  }
}
