// SPDX-License-Identifier: Apache-2.0
// node main.mjs PARSER_FOLDER ROOT...: a line per finding; exit status 1 if there are any.
import fs from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { Cycles } from './cycles.mjs';
import { Findings } from './findings.mjs';
import { engine } from './policies/engine.mjs';
import { exposure } from './policies/exposure.mjs';
import { House } from './policies/house.mjs';
import { keeping } from './policies/keeping.mjs';
import { rights } from './policies/rights.mjs';
import { tasks } from './policies/tasks.mjs';
import { Parser, readProgram } from './program.mjs';
import { Structure } from './structure.mjs';
import { Typer } from './typer.mjs';

const HERE = path.dirname(fileURLToPath(import.meta.url));
const [parserFolder, ...roots] = process.argv.slice(2);
const parser = new Parser(parserFolder);
const schema = JSON.parse(fs.readFileSync(path.join(HERE, 'schema.json'), 'utf8'));
let count = 0;
for (const root of roots) {
  const findings = new Findings();
  const modules = await readProgram(root, parser, findings);
  const typer = new Typer(modules, parser, schema, findings);
  const structure = new Structure(typer, schema, findings);
  for (const module of modules.values()) structure.check(module);
  const cycles = new Cycles(typer, parser, findings);
  for (const module of modules.values()) if (module.shown.startsWith('examples/')) cycles.check(module);
  const house = new House(modules, parser, schema, findings);
  for (const policy of [exposure, keeping, tasks, rights, engine]) policy(house);
  for (const line of findings.lines()) console.log(line);
  count += findings.lines().length;
}
if (count > 0) console.log(`${count} findings; schema: AWS provider ${schema.provider}, published ${schema.published}`);
process.exit(count > 0 ? 1 : 0);
