// SPDX-License-Identifier: Apache-2.0
// The files of a folder, read: modules with their variables, locals, outputs, calls, resources and data.
import fs from 'node:fs';
import path from 'node:path';
import { createRequire } from 'node:module';
import { readBlocks } from './blocks.mjs';

// HashiCorp's parser, of the folder into which deploy/terraform/check has put it. What it says of a text is kept:
// folders that are checked together are mostly alike.
export class Parser {
  #parsed = new Map();
  #trees = new Map();

  constructor(folder) {
    this.hcl = createRequire(path.join(path.resolve(folder), 'package.json'))('@cdktn/hcl2json');
  }

  // Null, or what is wrong with the file: { line, what }.
  async fault(text) {
    if (!this.#parsed.has(text)) {
      let fault = null;
      try {
        await this.hcl.parse('file.tf', text);
      } catch (thrown) {
        const said = String(thrown.message ?? thrown);
        const found = said.match(/file\.tf:(\d+),[\d,-]+: ([^\]]*)/);
        fault = { line: Number(found?.[1] ?? 1), what: (found?.[2] ?? said).trim().replace(/\.$/, '') };
      }
      this.#parsed.set(text, fault);
    }
    return this.#parsed.get(text);
  }

  // The syntax tree of an expression; read ahead (`prepare`), because the parser answers later.
  tree(text) { return this.#trees.get(text) ?? null; }

  async prepare(text) {
    if (this.#trees.has(text)) return;
    const tree = await this.hcl.getExpressionAst('file.tf', `${text}\n`);
    this.#trees.set(text, plainTree(tree, Buffer.from(text)));
  }
}

// { type, children, meta }, and `keys` of an object: its names, null for what is only known later. The parser gives
// keys as children without a word of their own, beside their values.
function plainTree(node, octets) {
  const { type, meta } = node;
  if (type !== 'object') {
    const children = (node.children ?? []).map((child) => plainTree(child, octets));
    return type === '' && children.length === 1 ? children[0] : { type, meta, children };
  }
  const keys = [];
  const values = [];
  for (let i = 0; i + 1 < node.children.length; i += 2) {
    const [key, value] = [node.children[i], plainTree(node.children[i + 1], octets)];
    const literal = key.children?.[0]?.type === 'template' && key.children[0].children.length === 1 &&
      key.children[0].children[0].type === 'literalValue' ? key.children[0].children[0].meta.value : null;
    const bare = key.children.length === 0
      ? octets.subarray(key.range.start.byte, key.range.end.byte).toString() : literal;
    keys.push(bare);
    values.push(value);
    if (bare === null) values.at(-1).computedKey = plainTree(key, octets);
  }
  return { type, meta, keys, children: values };
}

// One module: a folder of .tf files.
export class Module {
  // `path` as findings name it, `shown` without what is before modules/ and examples/.
  constructor(folder, path, shown) {
    Object.assign(this, { folder, path, shown });
    this.templates = new Map();  // name to its tree
    this.top = [];
    this.variables = new Map();
    this.locals = new Map();
    this.outputs = new Map();
    this.calls = new Map();
    this.resources = new Map();  // "aws_x.y", "data.aws_x.y"
    this.used = new Set();       // "var.x", "local.x", "data.aws_x.y", "module.x"
  }

  add(block, findings) {
    this.top.push(block);
    const put = (map, name, value) => {
      if (map.has(name)) {
        findings.add(block, 'name', `${block.type} ${name} is declared twice`, 'Rename one');
      }
      map.set(name, value);
    };
    const [type, name] = block.labels;
    if (block.type === 'variable') put(this.variables, type, block);
    if (block.type === 'output') put(this.outputs, type, block);
    if (block.type === 'module') put(this.calls, type, block);
    if (block.type === 'resource') put(this.resources, `${type}.${name}`, block);
    if (block.type === 'data') put(this.resources, `data.${type}.${name}`, block);
    if (block.type === 'locals') {
      for (const [local, attribute] of block.attributes) put(this.locals, local, attribute);
    }
  }
}

async function prepareBlock(parser, block) {
  for (const { text } of block.attributes.values()) await parser.prepare(text);
  for (const inner of block.blocks) await prepareBlock(parser, inner);
}

// All modules below modules/ and examples/ of `root`, by their folders. Files that the parser does not take are told
// and left out.
export async function readProgram(root, parser, findings) {
  const modules = new Map();
  for (const kind of ['modules', 'examples']) {
    if (!fs.existsSync(path.join(root, kind))) continue;
    for (const name of fs.readdirSync(path.join(root, kind)).sort()) {
      const folder = path.resolve(root, kind, name);
      const files = fs.readdirSync(folder).filter((each) => each.endsWith('.tf')).sort();
      if (files.length === 0) continue;
      const module = new Module(folder, path.join(root, kind, name), `${kind}/${name}`);
      modules.set(folder, module);
      for (const file of files) await readFile(module, path.join(module.path, file), parser, findings);
      for (const file of fs.readdirSync(folder).filter((each) => each.endsWith('.tftpl'))) {
        module.templates.set(file, await readTemplate(path.join(module.path, file), parser, findings));
      }
    }
  }
  return modules;
}

async function readFile(module, file, parser, findings) {
  const text = fs.readFileSync(file, 'utf8');
  const fault = await parser.fault(text);
  if (fault) {
    findings.add({ file, line: fault.line }, 'syntax', fault.what, 'Write it as HCL has it');
    return;
  }
  const read = readBlocks(text, file);
  await prepareBlock(parser, read);
  for (const block of read.blocks) module.add(block, findings);
}

// A template's tree, read as the text of a here document is; null if the parser does not take it.
async function readTemplate(file, parser, findings) {
  const text = `<<TEMPLATE_OF_A_FILE\n${fs.readFileSync(file, 'utf8')}\nTEMPLATE_OF_A_FILE`;
  try {
    await parser.prepare(text);
  } catch (thrown) {
    const said = String(thrown.message ?? thrown).split('\n')[0];
    findings.add({ file, line: 1 }, 'syntax', said, 'Write it as HCL has it');
  }
  return parser.tree(text);
}
