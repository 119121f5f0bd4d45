// SPDX-License-Identifier: Apache-2.0
// Blocks against what they may hold: the provider's schema, modules' variables, Terraform's own words.
import { mismatch, show, typeOfCode } from './types.mjs';

const META = {
  resource: ['count', 'for_each', 'depends_on', 'provider'],
  data: ['count', 'for_each', 'depends_on', 'provider'],
  module: ['source', 'count', 'for_each', 'depends_on', 'providers', 'version'],
};
const OWN = {
  variable: { needed: ['description', 'type'], allowed: ['default', 'sensitive', 'nullable'] },
  output: { needed: ['description', 'value'], allowed: ['sensitive', 'depends_on'] },
};
const TOP = ['terraform', 'provider', 'variable', 'output', 'locals', 'resource', 'data', 'module'];

export class Structure {
  constructor(typer, schema, findings) {
    Object.assign(this, { typer, schema, findings });
  }

  check(module) {
    for (const block of module.top) {
      if (!TOP.includes(block.type)) {
        this.findings.add(block, 'block', `there is no block "${block.type}"`, `One of ${TOP.join(', ')}`);
      } else if (block.type === 'resource' || block.type === 'data') this.#resource(block, module);
      else if (block.type === 'module') this.#call(block, module);
      else if (OWN[block.type]) this.#own(block, module);
      else if (block.type === 'locals') {
        for (const attribute of block.attributes.values()) this.typer.of(attribute, module);
      } else if (block.type === 'terraform') this.#terraform(block);
      else this.#inner(block, module);
    }
    this.#unused(module);
  }

  #inner(block, module) {
    for (const attribute of block.attributes.values()) this.typer.of(attribute, module);
    for (const inner of block.blocks) this.#inner(inner, module);
  }

  #terraform(block) {
    if (!block.attributes.has('required_version')) {
      this.findings.add(block, 'version', 'no required_version', 'Say from which Terraform on');
    }
  }

  #own(block, module) {
    const { needed, allowed } = OWN[block.type];
    for (const name of needed) {
      if (!block.attributes.has(name)) {
        this.findings.add(block, 'described', `${block.type} ${block.labels[0]} has no ${name}`, 'Give it one');
      }
    }
    for (const [name, attribute] of block.attributes) {
      if (![...needed, ...allowed].includes(name)) {
        this.findings.add(attribute, 'argument', `a ${block.type} has no "${name}"`, 'Take it out');
      } else if (name === 'default') {
        this.#fits(this.typer.of(attribute, module), this.typer.variable(block), attribute, 'default');
      } else if (block.type === 'output' && name === 'value') this.typer.output(block, module);
    }
    for (const inner of block.blocks) this.#inner(inner, module);
  }

  #fits(from, to, attribute, name) {
    const reason = mismatch(from, to);
    if (reason) this.findings.add(attribute, 'type', `"${name}" is ${reason}`, 'Give what is wanted, or convert it');
  }

  // ---- resources and data ------------------------------------------------------------------------------

  #resource(block, module) {
    const [type] = block.labels;
    const shape = this.schema[block.type][type];
    if (!shape) {
      this.findings.add(block, 'resource', `${block.type} ${type} is not in schema.json`,
        'Correct the type; if the provider has it, run checker/make_schema.mjs');
      return;
    }
    const scope = this.typer.scopeOf(block, module);
    for (const name of ['count', 'for_each']) this.#repetition(block.attributes.get(name), name, module);
    this.#shape(block, shape, module, scope, [...META[block.type]]);
  }

  #repetition(attribute, name, module) {
    if (!attribute) return;
    const type = this.typer.of(attribute, module);
    const fits = name === 'count' ? ['number', 'any'] : ['map', 'object', 'set', 'any'];
    if (!fits.includes(type.kind)) {
      this.findings.add(attribute, 'type', `${name} over a ${show(type)}`,
        name === 'count' ? 'A number' : 'A map or a set: toset(...) of a list');
    }
  }

  #shape(block, shape, module, scope, meta = []) {
    const blocks = shape.blocks ?? {};
    const what = [block.type, ...block.labels].join(' ');
    for (const [name, attribute] of block.attributes) {
      const type = this.typer.of(attribute, module, meta.includes(name) ? {} : scope);
      if (meta.includes(name)) continue;
      const code = shape.args[name];
      if (code) this.#fits(type, typeOfCode(code), attribute, name);
      else if (blocks[name]) {
        this.findings.add(attribute, 'block', `"${name}" of ${what} is a block`, `Write ${name} { ... }`);
      } else if (shape.attributes?.[name]) {
        this.findings.add(attribute, 'argument', `"${name}" of ${what} cannot be set`, 'AWS fills it in: take it out');
      } else {
        this.findings.add(attribute, 'argument', `${what} has no argument "${name}"`, 'Name one that it has');
      }
    }
    const given = new Map();
    for (const inner of block.blocks) this.#block(inner, blocks, module, scope, what, given, meta.length > 0);
    for (const [name, code] of Object.entries(shape.args)) {
      if (code.endsWith('!') && !block.attributes.has(name)) {
        this.findings.add(block, 'missing', `${what} needs "${name}"`, 'Give it');
      }
    }
    for (const [name, inner] of Object.entries(blocks)) {
      if (inner.required && !given.has(name)) {
        this.findings.add(block, 'missing', `${what} needs a block "${name}"`, 'Give it');
      }
      if (!inner.many && given.get(name) > 1) {
        this.findings.add(block, 'block', `${what} has more than one block "${name}"`, 'It takes one');
      }
    }
  }

  #block(inner, blocks, module, scope, what, given, outermost) {
    let [name, body, known] = [inner.type, inner, scope];
    if (outermost && ['lifecycle', 'provisioner', 'connection', 'timeouts'].includes(name)) return;
    if (name === 'dynamic') {
      [name] = inner.labels;
      body = inner.blocks.find((each) => each.type === 'content');
      const over = inner.attributes.get('for_each');
      if (!body || !over) {
        this.findings.add(inner, 'missing', `dynamic ${name} needs for_each and content`, 'Give both');
        return;
      }
      const one = this.typer.scopeOf({ attributes: new Map([['for_each', { ...over, text: over.text }]]) }, module);
      known = { ...scope, [name]: one.each };
    }
    given.set(name, (given.get(name) ?? 0) + 1);
    if (blocks[name]) this.#shape(body, blocks[name], module, known);
    else this.findings.add(inner, 'block', `${what} has no block "${name}"`, 'Name one that it has');
  }

  // ---- calls of modules --------------------------------------------------------------------------------

  #call(block, module) {
    const target = this.typer.called(block, module);
    const [name] = block.labels;
    if (!target) {
      this.findings.add(block.attributes.get('source') ?? block, 'source', `module ${name} leads nowhere`,
        'A folder with .tf files, by a relative path');
    }
    const scope = this.typer.scopeOf(block, module);
    for (const each of ['count', 'for_each']) this.#repetition(block.attributes.get(each), each, module);
    for (const [argument, attribute] of block.attributes) {
      const type = this.typer.of(attribute, module, META.module.includes(argument) ? {} : scope);
      if (META.module.includes(argument) || !target) continue;
      const variable = target.variables.get(argument);
      if (variable) this.#fits(type, this.typer.variable(variable), attribute, argument);
      else {
        this.findings.add(attribute, 'argument', `${target.shown} has no variable "${argument}"`,
          'Name one that it has');
      }
    }
    for (const [needed, variable] of target?.variables ?? []) {
      if (!variable.attributes.has('default') && !block.attributes.has(needed)) {
        this.findings.add(block, 'missing', `module ${name} needs "${needed}"`, 'Give it');
      }
    }
  }

  // ---- what nobody needs -------------------------------------------------------------------------------

  #unused(module) {
    const tell = (at, what) => this.findings.add(at, 'unused', `${what} is used nowhere`, 'Use it, or take it out');
    for (const [name, block] of module.variables) {
      if (!module.used.has(`var.${name}`)) tell(block, `variable ${name}`);
    }
    for (const [name, attribute] of module.locals) {
      if (!module.used.has(`local.${name}`)) tell(attribute, `local ${name}`);
    }
    for (const [name, block] of module.resources) {
      if (name.startsWith('data.') && !module.used.has(name)) tell(block, name);
    }
  }
}
