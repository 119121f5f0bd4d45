// SPDX-License-Identifier: Apache-2.0
// Where in a file each block and argument stands. HashiCorp's parser says whether the file is right, but not where
// anything of it is; this reader relies on that the file has passed it.

const IDENTIFIER = /[A-Za-z_][A-Za-z0-9_-]*/y;

class Reader {
  constructor(text) {
    this.text = text;
    this.at = 0;
    this.counted = { at: 0, line: 1 };
  }

  // Asked for from the beginning to the end.
  lineOf(at) {
    const { counted } = this;
    for (; counted.at < at; ++counted.at) if (this.text[counted.at] === '\n') ++counted.line;
    return counted.line;
  }

  starts(word) { return this.text.startsWith(word, this.at); }

  skipComment() {
    if (this.starts('#') || this.starts('//')) {
      while (this.at < this.text.length && this.text[this.at] !== '\n') ++this.at;
      return true;
    }
    if (!this.starts('/*')) return false;
    this.at = this.text.indexOf('*/', this.at) + 2;
    return true;
  }

  skipSpace() {
    while (this.at < this.text.length) {
      if (/\s/.test(this.text[this.at])) ++this.at;
      else if (!this.skipComment()) return;
    }
  }

  identifier() {
    IDENTIFIER.lastIndex = this.at;
    const found = IDENTIFIER.exec(this.text);
    if (!found) return null;
    this.at += found[0].length;
    return found[0];
  }

  skipString() {
    for (++this.at; this.text[this.at] !== '"'; ++this.at) {
      if (this.text[this.at] === '\\') ++this.at;
      else if ((this.starts('${') && !this.starts('$${')) || this.starts('%{')) this.skipTemplate();
      if (this.at >= this.text.length) return;
    }
    ++this.at;
  }

  // From `${` to its brace, which is left for the caller's step.
  skipTemplate() {
    let depth = 0;
    for (++this.at; this.at < this.text.length; ++this.at) {
      if (this.text[this.at] === '"') {
        this.skipString();
        --this.at;
      } else if (this.text[this.at] === '{') ++depth;
      else if (this.text[this.at] === '}' && --depth === 0) return;
    }
  }

  skipHereDocument() {
    const head = /<<-?([A-Za-z_]\w*)\n/y;
    head.lastIndex = this.at;
    const found = head.exec(this.text);
    if (!found) return false;
    const end = new RegExp(`^[ \\t]*${found[1]}[ \\t]*$`, 'm');
    const rest = this.text.slice(this.at + found[0].length);
    const last = end.exec(rest);
    this.at += found[0].length + (last ? last.index + last[0].length : rest.length);
    return true;
  }

  expression() {
    const from = this.at;
    for (let depth = 0; this.at < this.text.length;) {
      const c = this.text[this.at];
      if (c === '"') this.skipString();
      else if (c === '<' && this.skipHereDocument()) continue;
      else if (depth > 0 && this.skipComment()) continue;
      else if (depth === 0 && (c === '\n' || c === '#' || c === '}' || this.starts('//'))) break;
      else {
        if ('([{'.includes(c)) ++depth;
        if (')]}'.includes(c)) --depth;
        ++this.at;
      }
    }
    return this.text.slice(from, this.at).trim();
  }

  body(block) {
    for (this.skipSpace(); this.at < this.text.length; this.skipSpace()) {
      if (this.text[this.at] === '}') {
        ++this.at;
        return block;
      }
      const from = this.at;
      const name = this.identifier();
      if (name === null) return block;
      const line = this.lineOf(from);
      while (/[ \t]/.test(this.text[this.at])) ++this.at;
      if (this.text[this.at] === '=') {
        ++this.at;
        while (/[ \t]/.test(this.text[this.at])) ++this.at;
        block.attributes.set(name, { line, text: this.expression(), file: block.file });
        continue;
      }
      const labels = [];
      while (this.at < this.text.length && this.text[this.at] !== '{') {
        if (this.text[this.at] === '"') {
          const begin = this.at + 1;
          this.skipString();
          labels.push(this.text.slice(begin, this.at - 1));
        } else if (this.identifier() === null) ++this.at;
      }
      ++this.at;
      block.blocks.push(this.body(newBlock(name, labels, line, block.file)));
    }
    return block;
  }
}

function newBlock(type, labels, line, file) {
  return { type, labels, line, file, attributes: new Map(), blocks: [] };
}

// The file as a block: `blocks` in their order, each with `type`, `labels`, `line`, `attributes` (name to text and
// line) and `blocks`.
export function readBlocks(text, file) {
  return new Reader(text).body(newBlock('file', [], 1, file));
}
