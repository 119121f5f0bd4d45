// SPDX-License-Identifier: Apache-2.0
// Whether there is an order in which all can be made: what waits for what, over the borders of modules.

export class Cycles {
  #edges = new Map();  // node to the nodes that it waits for
  #places = new Map();

  constructor(typer, parser, findings) {
    Object.assign(this, { typer, parser, findings });
  }

  // Of one example: the module with all that it calls.
  check(root) {
    this.#edges.clear();
    this.#module(root, '', new Map(), []);
    const state = new Map();
    for (const node of this.#edges.keys()) this.#visit(node, state, []);
  }

  #visit(node, state, way) {
    if (state.get(node) === 'done') return;
    if (state.get(node) === 'open') {
      const circle = [...way.slice(way.indexOf(node)), node].map((each) => each.replace('|', ''));
      this.findings.add(this.#places.get(node), 'cycle', `waits for itself: ${circle.join(' -> ')}`,
        'Make one of them without the other, as a rule or policy apart from what it is for');
      return;
    }
    state.set(node, 'open');
    for (const next of this.#edges.get(node) ?? []) this.#visit(next, state, [...way, node]);
    state.set(node, 'done');
  }

  // `path` ends with a dot, or is empty. `given`: variables' nodes in the caller. `before`: what all of it waits for.
  #module(module, path, given, before) {
    const node = (name) => `${path}|${name}`;
    const put = (name, at, nodes) => {
      this.#edges.set(node(name), [...new Set(nodes)]);
      this.#places.set(node(name), at);
    };
    const waits = (attributes) => attributes.flatMap((attribute) =>
      this.#names(this.parser.tree(attribute.text), module).map((name) => node(name)));
    for (const [name, block] of module.variables) put(`var.${name}`, block, given.get(name) ?? []);
    for (const [name, attribute] of module.locals) put(`local.${name}`, attribute, waits([attribute]));
    for (const [name, block] of module.resources) put(name, block, [...before, ...waits(attributesOf(block))]);
    for (const [name, block] of module.calls) {
      const target = this.typer.called(block, module);
      if (!target) continue;
      const all = ['count', 'for_each', 'depends_on'].map((each) => block.attributes.get(each)).filter(Boolean);
      const inner = new Map([...block.attributes].map(([argument, attribute]) => [argument, waits([attribute])]));
      this.#module(target, `${path}module.${name}.`, inner, [...before, ...waits(all)]);
      const made = (prefix, keys) => [...keys].map((key) => `${path}module.${name}.|${prefix}${key}`);
      for (const output of target.outputs.keys()) {
        put(`module.${name}.${output}`, block, made('output.', [output]));
      }
      put(`module.${name}`, block, [...made('output.', target.outputs.keys()), ...made('', target.resources.keys())]);
    }
    for (const [name, block] of module.outputs) put(`output.${name}`, block, waits(attributesOf(block)));
  }

  // What an expression names of its module, as nodes are named.
  #names(tree, module) {
    return traversalsOf(tree).flatMap(([root, second, third, ...rest]) => {
      if (root === 'module') {
        const named = [third, ...rest].find((segment) => segment && !/^["\d]/.test(segment));
        return module.calls.has(second) ? [named ? `module.${second}.${named}` : `module.${second}`] : [];
      }
      const name = root === 'data' ? `data.${second}.${third}` : `${root}.${second}`;
      const there = module.resources.has(name) || (root === 'var' && module.variables.has(second)) ||
        (root === 'local' && module.locals.has(second));
      return there ? [name] : [];
    });
  }
}

const kept = new WeakMap();

// Every name of an expression in its parts.
function traversalsOf(tree) {
  if (!tree) return [];
  if (!kept.has(tree)) {
    const own = tree.type === 'scopeTraversal' ? [tree.meta.traversal.map((part) => part.segment)] : [];
    const keys = tree.children.map((child) => child.computedKey).filter(Boolean);
    kept.set(tree, [...own, ...[...tree.children, ...keys].flatMap(traversalsOf)]);
  }
  return kept.get(tree);
}

function attributesOf(block) {
  const inner = block.blocks.filter((each) => each.type !== 'lifecycle').flatMap(attributesOf);
  return [...block.attributes.values(), ...inner];
}
