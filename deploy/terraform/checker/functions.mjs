// SPDX-License-Identifier: Apache-2.0
// Terraform's functions as far as the files use them: what each gives.
import { ANY, BOOL, NUMBER, STRING, common, elementOf, listOf, mapOf, objectOf, setOf } from './types.mjs';

const first = ([type]) => type ?? ANY;
const always = (type) => () => type;

function concat(types) {
  return listOf(common(types.map(elementOf)));
}

// Objects one over the other; with `...` the one argument is a list of them.
function merge(types, expanded) {
  if (expanded) {
    const each = elementOf(types[0]);
    return each.kind === 'map' || each.kind === 'object' ? mapOf(elementOf(each)) : ANY;
  }
  if (types.every((type) => type.kind === 'object')) {
    return objectOf(Object.assign({}, ...types.map((type) => type.members)));
  }
  return types.every((type) => ['map', 'object'].includes(type.kind)) ? mapOf(common(types.map(elementOf))) : ANY;
}

export const FUNCTIONS = {
  alltrue: always(BOOL), anytrue: always(BOOL), base64encode: always(STRING), can: always(BOOL),
  ceil: always(NUMBER), cidrhost: always(STRING), cidrsubnet: always(STRING), coalesce: common, concat,
  contains: always(BOOL), distinct: first, endswith: always(BOOL), file: always(STRING),
  filebase64: always(STRING), flatten: always(ANY), floor: always(NUMBER), format: always(STRING),
  join: always(STRING), jsonencode: always(STRING), keys: always(listOf(STRING)), length: always(NUMBER),
  lookup: ([map]) => elementOf(map), lower: always(STRING), max: always(NUMBER), merge, min: always(NUMBER),
  one: ([list]) => elementOf(list), range: always(listOf(NUMBER)), regex: always(ANY),
  regexall: always(listOf(STRING)), replace: always(STRING), setproduct: always(listOf(listOf(ANY))),
  slice: first, sort: always(listOf(STRING)), split: always(listOf(STRING)), startswith: always(BOOL),
  templatefile: always(STRING), tolist: ([type]) => listOf(elementOf(type)), tonumber: always(NUMBER),
  toset: ([type]) => setOf(elementOf(type)), tostring: always(STRING), trimspace: always(STRING), try: common,
  upper: always(STRING), values: ([type]) => listOf(elementOf(type)),
};
