// SPDX-License-Identifier: Apache-2.0
// What an argument is, as far as the files themselves say it. What only a variable or AWS knows is an Unknown.

export class Unknown {
  constructor(text) { this.text = text; }
}

const isKnown = (value) => !(value instanceof Unknown);
const entriesOf = (value) => Array.isArray(value) ? value.map((each, i) => [i, each])
  : Object.entries(value).filter(([key]) => key !== '__open');

export class Values {
  constructor(parser) { this.parser = parser; }

  // Of an argument; undefined where there is none. `names`: those of `each` and of `for`.
  of(attribute, module, names = {}) {
    if (!attribute) return undefined;
    const tree = this.parser.tree(attribute.text);
    return tree ? this.#value(tree, { module, names }) : new Unknown(attribute.text);
  }

  // The block's instances: `each` of every one. One without for_each, or where that is not known, is a single one.
  instances(block, module) {
    const over = this.of(block.attributes.get('for_each'), module);
    if (over === undefined || !isKnown(over)) return [{}];
    const set = Array.isArray(over);
    return entriesOf(over).map(([key, value]) => ({ each: { key: set ? value : key, value } }));
  }

  #value(node, context) {
    const unknown = new Unknown(node.meta?.value ?? '');
    switch (node.type) {
      case 'literalValue': return literal(node.meta);
      case 'template': return this.#template(node, context, unknown);
      case 'templateWrap': return this.#value(node.children[0], context);
      case 'tuple': return node.children.map((child) => this.#value(child, context));
      case 'object': return this.#object(node, context);
      case 'scopeTraversal': return this.#named(node.meta.traversal, context, unknown);
      case 'relativeTraversal':
        return along(this.#value(node.children[0], context), node.meta.traversal, unknown);
      case 'unaryOp': return this.#unary(node, context, unknown);
      case 'for': return this.#for(node, context, unknown);
      case 'function': return this.#function(node, context, unknown);
      default: return unknown;
    }
  }

  #template(node, context, unknown) {
    const parts = node.children.map((child) => this.#value(child, context));
    if (!parts.every((part) => ['string', 'number', 'boolean'].includes(typeof part))) return unknown;
    return parts.join('');
  }

  // `__open`: it has members whose names are not known.
  #object(node, context) {
    const made = {};
    node.keys.forEach((key, i) => {
      made[key ?? '__open'] = this.#value(node.children[i], context);
    });
    return made;
  }

  #unary(node, context, unknown) {
    const value = this.#value(node.children[0], context);
    if (!isKnown(value)) return unknown;
    return node.meta.operator === 'negate' ? -value : !value;
  }

  #named(parts, { module, names }, unknown) {
    const [root, name] = parts.map((part) => part.segment);
    if (root in names) return along(names[root], parts.slice(1), unknown);
    if (root === 'local' && module.locals.has(name)) {
      return along(this.of(module.locals.get(name), module), parts.slice(2), unknown);
    }
    const length = root === 'data' ? 3 : 2;
    const block = module.resources.get(parts.slice(0, length).map((part) => part.segment).join('.'));
    return block ? along(this.#instances(block, module, unknown), parts.slice(length), unknown) : unknown;
  }

  // Of a resource its instances' keys are known, no more.
  #instances(block, module, unknown) {
    const over = this.of(block.attributes.get('for_each'), module);
    if (over === undefined || !isKnown(over)) return unknown;
    const keys = Array.isArray(over) ? over : Object.keys(over);
    return Object.fromEntries(keys.map((key) => [key, new Unknown(key)]));
  }

  #for(node, context, unknown) {
    const over = this.#value(node.children[0], context);
    const { keyVar, valVar, openRangeValue, conditionalExpression } = node.meta;
    if (!isKnown(over) || conditionalExpression) return unknown;
    const within = ([key, value]) =>
      ({ ...context, names: { ...context.names, [valVar]: value, ...(keyVar && { [keyVar]: key }) } });
    const entries = entriesOf(over);
    if (openRangeValue === '[') return entries.map((entry) => this.#value(node.children[1], within(entry)));
    return Object.fromEntries(entries.map((entry) =>
      [this.#value(node.children[1], within(entry)), this.#value(node.children[2], within(entry))]));
  }

  #function(node, context, unknown) {
    const given = node.children.map((child) => this.#value(child, context));
    switch (node.meta.name) {
      case 'jsonencode':
      case 'toset':
      case 'tolist':
      case 'sort': return given[0];
      case 'concat': return given.flatMap((each) => Array.isArray(each) ? each : [each]);
      case 'merge': return given.every((each) => isKnown(each)) && !node.meta.expandedFinalArgument
        ? Object.assign({}, ...given) : unknown;
      case 'keys': return isKnown(given[0]) ? Object.keys(given[0]).sort() : unknown;
      case 'values': return isKnown(given[0]) ? entriesOf(given[0]).map(([, value]) => value) : unknown;
      default: return unknown;
    }
  }
}

function literal({ type, value }) {
  if (type === 'number') return Number(value);
  if (type === 'bool') return value === 'true' || value === true;
  return type === 'string' ? value : null;
}

function along(value, parts, unknown) {
  let at = value;
  for (const { segment } of parts) {
    if (!isKnown(at) || at === null || typeof at !== 'object') return unknown;
    at = at[segment.replaceAll('"', '')];
    if (at === undefined) return unknown;
  }
  return at;
}
