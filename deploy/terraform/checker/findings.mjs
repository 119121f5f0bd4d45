// SPDX-License-Identifier: Apache-2.0
// What was found, each once, in the order of files and lines.

export class Findings {
  #all = new Map();

  // `at` has `file` and `line`.
  add(at, rule, what, remedy) {
    const line = `${at.file}:${at.line}: ${rule}: ${what}. ${remedy}.`;
    this.#all.set(line, { file: at.file, line: at.line, text: line });
  }

  lines() {
    return [...this.#all.values()].sort((a, b) => a.file.localeCompare(b.file) || a.line - b.line)
      .map((finding) => finding.text);
  }
}
