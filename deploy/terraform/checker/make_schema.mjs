// SPDX-License-Identifier: Apache-2.0
// Makes schema.json: of each type of the AWS provider that the files here use, its arguments, blocks and attributes,
// from the declarations of the npm package @cdktn/provider-aws, which are made from the provider's own schema.
//   node deploy/terraform/checker/make_schema.mjs     after types have come in, or for another version of the provider
// Needs npm's registry and 500 MB below build/; so its result is kept and this is not part of any test.
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { readBlocks } from './blocks.mjs';

const PACKAGE = '@cdktn/provider-aws';
const VERSION = '25.7.0';
const HERE = path.dirname(fileURLToPath(import.meta.url));
const FOLDER = path.resolve(HERE, '../../../build/terraform/provider');

function unpacked() {
  const into = path.join(FOLDER, VERSION);
  if (!fs.existsSync(path.join(into, 'package/package.json'))) {
    fs.mkdirSync(into, { recursive: true });
    execFileSync('npm', ['pack', `${PACKAGE}@${VERSION}`, '--loglevel=error'], { cwd: into });
    const archive = fs.readdirSync(into).find((name) => name.endsWith('.tgz'));
    execFileSync('tar', ['xzf', archive, 'package/package.json', 'package/lib'], { cwd: into });
  }
  return path.join(into, 'package');
}

function usedTypes() {
  const types = { resource: new Set(), data: new Set() };
  for (const kind of ['modules', 'examples']) {
    const files = fs.readdirSync(path.join(HERE, '..', kind), { recursive: true });
    for (const name of files.filter((each) => each.endsWith('.tf'))) {
      const text = fs.readFileSync(path.join(HERE, '..', kind, name), 'utf8');
      for (const block of readBlocks(text, name).blocks) types[block.type]?.add(block.labels[0]);
    }
  }
  return types;
}

// A letter for each kind of value, `!` after what is required.
const CODES = [[/^string$/, 's'], [/^number$/, 'n'], [/^boolean/, 'b'], [/^string\[\]/, 'ls'], [/^number\[\]/, 'ln'],
  [/^\{ \[key: string\]: string \}/, 'ms'], [/^\{ \[key: string\]: \(boolean/, 'mb']];

function codeOf(type) {
  return CODES.find(([pattern]) => pattern.test(type))?.[1] ?? 'a';
}

function interfacesOf(text) {
  const found = {};
  for (const [, name, , body] of text.matchAll(/export interface (\w+)( extends [\w.]+)? \{([\s\S]*?)\n\}/g)) {
    const members = {};
    for (const [, member, , optional, type] of
      body.matchAll(/#(\w+) \w+#\w+\}[\s\S]*?readonly (\w+)(\??): ([^;]+);/g)) {
      members[member] = { required: !optional, type };
    }
    found[name] = members;
  }
  return found;
}

function shapeOf(interfaces, name) {
  const shape = { args: {}, blocks: {} };
  for (const [member, { required, type }] of Object.entries(interfaces[name])) {
    const inner = type.match(/^(\w+)(\[\])?( |$)/);
    if (inner && interfaces[inner[1]]) {
      shape.blocks[member] = { required, many: Boolean(inner[2]), ...shapeOf(interfaces, inner[1]) };
    } else {
      shape.args[member] = codeOf(type) + (required ? '!' : '');
    }
  }
  if (Object.keys(shape.blocks).length === 0) delete shape.blocks;
  return shape;
}

// What a resource has besides what it is given: attributes that the provider fills in.
function attributesOf(text) {
  const main = text.slice(text.lastIndexOf('tfResourceType'));
  const attributes = {};
  const kinds = { String: 's', Number: 'n', Boolean: 'b', List: 'ls', NumberList: 'ln', StringMap: 'ms' };
  for (const [, kind, name] of main.matchAll(/this\.get(\w+?)Attribute\('(\w+)'\)/g)) {
    attributes[name] ??= kinds[kind] ?? 'a';
  }
  for (const [, name] of main.matchAll(/new \w+\(this, "(\w+)"/g)) attributes[name] ??= 'a';
  return attributes;
}

function read(folder, kind, type) {
  const name = (kind === 'data' ? 'data-aws-' : '') + type.replace(/^aws_/, '').replaceAll('_', '-');
  const at = path.join(folder, 'lib', name);
  if (!fs.existsSync(at)) throw new Error(`the provider has no ${kind} ${type}`);
  const files = fs.readdirSync(at, { recursive: true });
  const all = (ending) => files.filter((file) => file.endsWith(ending) && (ending !== '.js' || !file.endsWith('.d.ts')))
    .map((file) => fs.readFileSync(path.join(at, file), 'utf8')).join('\n');
  const interfaces = interfacesOf(all('.d.ts'));
  const main = Object.keys(interfaces).find((each) => each.endsWith('Config') &&
    all('.d.ts').includes(`interface ${each} extends cdktn.TerraformMetaArguments`));
  return { ...shapeOf(interfaces, main), attributes: attributesOf(all('index.js')) };
}

const folder = unpacked();
const facts = JSON.parse(fs.readFileSync(path.join(folder, 'package.json'), 'utf8'));
const published = JSON.parse(execFileSync('npm', ['view', PACKAGE, 'time', '--json'], { encoding: 'utf8' }))[VERSION];
const used = usedTypes();
const schema = { from: `${PACKAGE} ${VERSION}`, published: published.slice(0, 10),
  provider: facts.cdktn.provider.version, resource: {}, data: {} };
for (const kind of ['resource', 'data']) {
  for (const type of [...used[kind]].sort()) schema[kind][type] = read(folder, kind, type);
}
const lines = ['resource', 'data'].map((kind) => `"${kind}": {\n${Object.entries(schema[kind])
  .map(([type, shape]) => `"${type}": ${JSON.stringify(shape)}`).join(',\n')}\n}`);
const head = ['from', 'published', 'provider'].map((key) => `"${key}": ${JSON.stringify(schema[key])}`);
fs.writeFileSync(path.join(HERE, 'schema.json'), `{\n${[...head, ...lines].join(',\n')}\n}\n`);
