// SPDX-License-Identifier: Apache-2.0
// What each expression is, as far as that can be known here; and what it names that is not there.
import path from 'node:path';
import { FUNCTIONS } from './functions.mjs';
import { ANY, BOOL, NULL, NUMBER, STRING, common, elementOf, listOf, mapOf, objectOf, setOf, show, typeOfCode }
  from './types.mjs';

const PLAIN = { string: STRING, number: NUMBER, bool: BOOL, any: ANY };

// Names over those that are known already; a template's own are asked for one by one.
function within(scope, names) {
  return new Proxy(scope, { get: (types, key) => names[key] ?? types[key] });
}

export class Typer {
  #kept = new Map();

  constructor(modules, parser, schema, findings) {
    Object.assign(this, { modules, parser, schema, findings });
  }

  // Of an argument: { text, line, file }. `scope`: names of `for`, `each` and `dynamic` with their types.
  of(attribute, module, scope = {}) {
    const tree = this.parser.tree(attribute.text);
    return tree ? this.#type(tree, { module, scope, at: attribute }) : ANY;
  }

  // Computed once; what is asked for while it is being computed is anything.
  #once(key, compute) {
    if (!this.#kept.has(key)) {
      this.#kept.set(key, ANY);
      this.#kept.set(key, compute());
    }
    return this.#kept.get(key);
  }

  variable(block) {
    return this.#once(block, () => {
      const given = block.attributes.get('type');
      return given ? this.constraint(this.parser.tree(given.text), given) : ANY;
    });
  }

  constraint(tree, at) {
    const unknown = () => {
      this.findings.add(at, 'type', `${tree?.meta?.value ?? 'this'} is no type`,
        'string, number, list(...), object(...)');
      return ANY;
    };
    if (tree?.type === 'scopeTraversal') return PLAIN[tree.meta.value] ?? unknown();
    if (tree?.type !== 'function') return unknown();
    const [inner] = tree.children;
    switch (tree.meta.name) {
      case 'list': return listOf(this.constraint(inner, at));
      case 'set': return setOf(this.constraint(inner, at));
      case 'map': return mapOf(this.constraint(inner, at));
      case 'optional': return this.constraint(inner, at);
      case 'object': return objectOf(Object.fromEntries(inner.keys.map((key, i) => {
        const member = inner.children[i];
        const optional = member.type === 'function' && member.meta.name === 'optional';
        return [key, { type: this.constraint(member, at), optional }];
      })));
      default: return unknown();
    }
  }

  // The folder that a call names, as a module; null if there is none.
  called(block, module) {
    const source = block.attributes.get('source');
    const tree = source && this.parser.tree(source.text);
    const text = tree?.type === 'template' ? tree.children[0]?.meta?.value : null;
    return text?.startsWith('.') ? this.modules.get(path.resolve(module.folder, text)) ?? null : null;
  }

  output(block, module) {
    return this.#once(block, () => {
      const value = block.attributes.get('value');
      return value ? this.of(value, module) : ANY;
    });
  }

  // `each` of a block with for_each, else nothing.
  scopeOf(block, module) {
    const over = block.attributes.get('for_each');
    if (!over) return block.attributes.has('count') ? { count: objectOf({ index: { type: NUMBER } }, 'count') } : {};
    const type = this.of(over, module);
    const value = type.kind === 'set' ? STRING : elementOf(type);
    return { each: objectOf({ key: { type: STRING }, value: { type: value } }, 'each') };
  }

  #repeated(block, one) {
    if (block.attributes.has('for_each')) return mapOf(one);
    return block.attributes.has('count') ? listOf(one) : one;
  }

  instance(block, module) {
    return this.#once(block, () => {
      const shape = this.schema[block.type][block.labels[0]];
      return this.#repeated(block, shape ? this.#shape(shape, block.labels[0]) : ANY, module);
    });
  }

  #shape(shape, what) {
    const members = {};
    for (const [name, code] of Object.entries(shape.args)) members[name] = { type: typeOfCode(code) };
    for (const [name, inner] of Object.entries(shape.blocks ?? {})) {
      members[name] = { type: listOf(this.#shape(inner, `block ${name}`)) };
    }
    for (const [name, code] of Object.entries(shape.attributes ?? {})) members[name] ??= { type: typeOfCode(code) };
    return objectOf(members, what);
  }

  call(block, module) {
    return this.#once(block, () => {
      const target = this.called(block, module);
      if (!target) return ANY;
      const members = {};
      for (const [name, output] of target.outputs) members[name] = { type: this.output(output, target) };
      return this.#repeated(block, objectOf(members, `module ${block.labels[0]}`));
    });
  }

  // ---- expressions -----------------------------------------------------------------------------------

  #type(node, context) {
    const types = () => node.children.map((child) => this.#type(child, context));
    switch (node.type) {
      case 'literalValue': return PLAIN[node.meta.type] ?? NULL;
      case 'template':
      case 'templateJoin': types(); return STRING;
      case 'templateWrap': return this.#type(node.children[0], context);
      case 'tuple': return { kind: 'tuple', items: types() };
      case 'object': return this.#object(node, context);
      case 'scopeTraversal': return this.#named(node.meta.traversal, context);
      case 'relativeTraversal': return this.#along(types()[0], node.meta.traversal, context);
      case 'index': return elementOf(types()[0]);
      case 'splat': return this.#splat(node, context);
      case 'conditional': return common(types().slice(1));
      case 'binaryOp':
      case 'unaryOp': types(); return PLAIN[node.meta.returnType] ?? ANY;
      case 'for': return this.#for(node, context);
      case 'function': return this.#function(node, types(), context);
      default: return context.element ?? ANY;
    }
  }

  #object(node, context) {
    const types = node.children.map((child) => {
      if (child.computedKey) this.#type(child.computedKey, context);
      return this.#type(child, context);
    });
    if (node.keys.some((key) => key === null)) return mapOf(common(types));
    return objectOf(Object.fromEntries(node.keys.map((key, i) => [key, { type: types[i] }])));
  }

  #splat(node, context) {
    const source = this.#type(node.children[0], context);
    const list = ['list', 'set', 'tuple', 'any'].includes(source.kind);
    const element = list ? elementOf(source) : source;
    return listOf(this.#type(node.children[1], { ...context, element }));
  }

  #for(node, context) {
    const { keyVar, valVar, openRangeValue, groupedValue } = node.meta;
    const over = this.#type(node.children[0], context);
    const key = ['list', 'tuple'].includes(over.kind) ? NUMBER : STRING;
    const inner = { ...context, scope: within(context.scope, { [valVar]: elementOf(over) }) };
    if (keyVar) inner.scope = within(inner.scope, { [keyVar]: over.kind === 'set' ? elementOf(over) : key });
    const types = node.children.slice(1).map((child) => this.#type(child, inner));
    if (openRangeValue === '[') return listOf(types[0]);
    return mapOf(groupedValue ? listOf(types[1]) : types[1]);
  }

  #function(node, types, context) {
    const known = FUNCTIONS[node.meta.name];
    if (node.meta.name === 'templatefile') this.#template(node, types[1], context);
    if (known) return known(types, node.meta.expandedFinalArgument);
    this.findings.add(context.at, 'function', `${node.meta.name}() is not known`,
      'Correct it, or add it to checker/functions.mjs');
    return ANY;
  }

  // What a template names against what it is given.
  #template(node, given, context) {
    const name = node.children[0].children?.at(-1)?.meta?.value?.replace(/^\//, '');
    if (!context.module.templates.has(name)) {
      this.findings.add(context.at, 'source', `there is no template ${name}`, 'Name a file of the module');
      return;
    }
    const tree = context.module.templates.get(name);
    if (!tree || given?.kind !== 'object') return;
    const asked = new Set();
    const scope = new Proxy(Object.fromEntries(Object.entries(given.members).map(([key, { type }]) => [key, type])), {
      get(types, key) {
        asked.add(key);
        return types[key];
      },
    });
    this.#type(tree, { ...context, scope });
    for (const key of Object.keys(given.members).filter((each) => !asked.has(each))) {
      this.findings.add(context.at, 'unused', `template ${name} does not ask for ${key}`, 'Use it, or take it out');
    }
  }

  #along(type, parts, context) {
    let at = type;
    for (const { type: kind, segment } of parts) {
      if (kind === 'indexTraversal') {
        const key = segment.replaceAll('"', '');
        const named = at.kind === 'object' && at.members[key] ? at.members[key].type : elementOf(at);
        at = named;
      } else if (at.kind === 'object') {
        if (!at.members[segment]) {
          this.findings.add(context.at, 'reference', `${show(at)} has no "${segment}"`,
            'Name one that it has');
          return ANY;
        }
        at = at.members[segment].type;
      } else if (at.kind === 'map') {
        at = at.of;
      } else if (at.kind !== 'any') {
        this.findings.add(context.at, 'reference', `.${segment} of a ${show(at)}`,
          at.kind === 'list' ? 'Say of which element, or [*]' : 'It has no parts');
        return ANY;
      }
    }
    return at;
  }

  #named(parts, context) {
    const { module, scope } = context;
    const [root, second, third] = parts.map((part) => part.segment);
    if (scope[root]) return this.#along(scope[root], parts.slice(1), context);
    const missing = (what, remedy) => {
      this.findings.add(context.at, 'reference', `${what} is not declared in ${module.shown}`, remedy);
      return ANY;
    };
    const known = (map, key, type) => {
      const found = map.get(key);
      return found ? () => type.call(this, found, module) : null;
    };
    if (root === 'path' || root === 'terraform') return STRING;
    if (root === 'each' || root === 'count' || root === 'self') {
      return missing(root, 'It is there only where for_each or count is');
    }
    const [name, type, length] =
      root === 'var' ? [`var.${second}`, known(module.variables, second, this.variable), 2]
        : root === 'local' ? [`local.${second}`, known(module.locals, second, this.#local), 2]
          : root === 'module' ? [`module.${second}`, known(module.calls, second, this.call), 2]
            : root === 'data' ? [`data.${second}.${third}`,
              known(module.resources, `data.${second}.${third}`, this.instance), 3]
              : [`${root}.${second}`, known(module.resources, `${root}.${second}`, this.instance), 2];
    if (!type) return missing(parts.length < 2 ? root : name, 'Declare it, or name what there is');
    module.used.add(name);
    return this.#along(type(), parts.slice(length), context);
  }

  #local(attribute, module) {
    return this.#once(attribute, () => this.of(attribute, module));
  }
}
