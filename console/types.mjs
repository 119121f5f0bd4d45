// Client types from the description of the API: a change of it that the pages do not follow fails the build.
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import openapi, { astToString } from 'openapi-typescript';

const source = ['openapi.json', '../docs/openapi.json'].map((path) => new URL(path, import.meta.url)).find(existsSync);
const target = new URL('src/api/schema.d.ts', import.meta.url);
const made = astToString(await openapi(JSON.parse(readFileSync(source, 'utf8')), { defaultNonNullable: false }));
if (!existsSync(target) || readFileSync(target, 'utf8') !== made) writeFileSync(target, made);
