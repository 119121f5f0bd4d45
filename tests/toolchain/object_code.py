# SPDX-License-Identifier: Apache-2.0
"""Reads what the compiler made of src/mailauth/rsa/ifma.cc: does anything depend on a secret?

Every secret there is in memory that the functions are given, and all that is done with it is done
in vector registers. So it is enough that no word gets from there into a general register, into the
flags or into an address:
  - no instruction moves from a vector or mask register into a general one or the flags;
  - general registers are loaded from the own stack frame only (a saved pointer or counter), and
    only from places that a general register was saved to;
  - no vector addresses (gather, scatter), no compression, no jump through a register;
  - calls go to functions of the same file, and to memset and memcpy, whose ways depend on lengths,
    which no register could have from a secret.
What then is compared and jumped by is a pointer or a loop's counter. Usage: object_code.py OBJECT.
Without an argument: a test of itself.
"""
import re
import subprocess
import sys

GENERAL = re.compile(r"%(?:r(?:[abcd]x|[sd]i|[bs]p|\d+[dwb]?)|e(?:[abcd]x|[sd]i|[bs]p)|"
                     r"[abcd][lhx]|[sd]il?|[sb]pl?)$")
VECTOR = re.compile(r"%(?:[xyz]mm\d+|k\d)")
# The instructions that general registers may be changed by; operands are looked at below.
SCALAR = re.compile(r"^(?:mov|movabs|lea|add|sub|and|xor|inc|dec|shl|neg|cmp|test|push|pop)"
                    r"[bwlq]?$")
JUMP = re.compile(r"^j(?:mp|[a-z]{1,3})$")
PLAIN = {"ret", "retq", "leave", "nop", "nopl", "nopw", "data16", "cs", "xchg", "endbr64", "int3"}
OUTSIDE = {"memset", "memcpy"}
VECTOR_FORBIDDEN = re.compile(r"gather|scatter|compress|expand|ptest|kortest|ktest|comis|movmsk|"
                              r"pextr|vextractps")


def operands(text):
    """Split at the commas that stand outside of parentheses and braces."""
    parts, depth, current = [], 0, ""
    for c in text:
        depth += (c in "({") - (c in ")}")
        if c == "," and depth == 0:
            parts.append(current.strip())
            current = ""
        else:
            current += c
    return [*parts, current.strip()] if current.strip() else parts


def frame_slot(operand):
    """The place in the own frame, or None: -0x50(%rbp), 0x40(%rsp)."""
    match = re.fullmatch(r"(-?(?:0x)?[0-9a-f]*)\((%rsp|%rbp)\)", operand)
    return match and (match.group(2), match.group(1) or "0")


def is_memory(operand):
    return "(" in operand


class Function:
    def __init__(self, name, names):
        self.name, self.names = name, names
        self.saved = set()  # places that general registers were saved to
        self.loaded = []    # (place, instruction)
        self.findings = []
        self.call_to_be_linked = None

    def link(self, name):
        """The instruction before gets the address of `name`."""
        if self.call_to_be_linked and name not in self.names and name not in OUTSIDE:
            self.complain(f"a call to {name}", self.call_to_be_linked)
        self.call_to_be_linked = None

    def expect_no_link(self):
        if self.call_to_be_linked:
            self.complain("a call to elsewhere", self.call_to_be_linked)
        self.call_to_be_linked = None

    def complain(self, why, line):
        self.findings.append(f"{self.name}: {why}: {line}")

    def look(self, line):
        self.expect_no_link()
        line = re.sub(r"\s*#.*", "", line).strip()
        line = re.sub(r"^(?:data16|cs|notrack|lock|rep[a-z]*)\s+", "", line)
        mnemonic, _, rest = line.partition(" ")
        rest = re.sub(r"<.*>", "", rest)
        if mnemonic in PLAIN or not mnemonic:
            return
        parts = operands(rest.strip())
        if mnemonic in ("call", "callq"):
            target = re.search(r"<([^>]+)>", line)
            if rest.strip().startswith("*") or target is None:
                self.complain("a call to elsewhere", line)
            elif target.group(1) not in self.names:
                self.call_to_be_linked = line
            return
        if JUMP.match(mnemonic):
            if rest.strip().startswith("*"):
                self.complain("a jump through a register", line)
            return
        if mnemonic.startswith(("v", "k")) or VECTOR.search(rest):
            if VECTOR_FORBIDDEN.search(mnemonic):
                self.complain("a vector decides or addresses", line)
            if parts and GENERAL.fullmatch(parts[-1]):
                self.complain("a vector's word reaches a general register", line)
            return
        if not SCALAR.match(mnemonic):
            self.complain("an instruction that is not known", line)
            return
        if mnemonic.startswith(("lea", "push", "pop")):
            return
        for i, operand in enumerate(parts):
            if not is_memory(operand):
                continue
            written_only = i == len(parts) - 1 and len(parts) > 1 and mnemonic.startswith("mov")
            slot = frame_slot(operand)
            if slot is None:
                if not written_only:
                    self.complain("a general register or the flags get a word of memory", line)
            elif written_only:
                self.saved.add(slot)
            else:
                self.loaded.append((slot, line))

    def end(self):
        self.expect_no_link()
        for slot, line in self.loaded:
            if slot not in self.saved:
                self.complain("a word of the stack that no general register was saved to", line)
        return self.findings


def check(text):
    names = set(re.findall(r"^[0-9a-f]+ <([^>]+)>:$", text, re.M))
    findings, function, seen = [], None, 0
    for line in text.split("\n"):
        header = re.fullmatch(r"[0-9a-f]+ <([^>]+)>:", line)
        if header:
            findings += function.end() if function else []
            function = Function(header.group(1), names)
        elif function and (relocation := re.search(r"\bR_X86_64_\w+\t(\w+)", line)):
            function.link(relocation.group(1))
        elif function and "\t" in line:
            seen += "vpmadd52" in line
            function.look(line.split("\t")[1])
    findings += function.end() if function else ["there are no functions"]
    return findings, seen


def test_itself():
    def of(*lines):
        return check("0000 <f>:\n" + "".join(f"  0:\t{line}\n" for line in lines))[0]

    def call(name):
        return of("call   9 <f+0x9>\n\t\t\t5: R_X86_64_PLT32\t" + name + "-0x4", "ret")

    fine = ["push   %rbp", "mov    %rdi,-0x30(%rbp)", "mov    -0x30(%rbp),%rsi", "xor    %eax,%eax",
            "vpmadd52luq 0x40(%rsi,%rax,8),%zmm0,%zmm1", "add    $0x40,%rax", "cmp    $0x500,%rax",
            "jne    10 <f+0x10>", "vmovd  %eax,%xmm1", "vpcmpeqq %zmm1,%zmm2,%k1",
            "vmovdqa64 %zmm1,0x40(%rsp)", "call   0 <f>", "ret"]
    assert of(*fine) == [], of(*fine)
    for bad in ("mov    (%rdi),%rax", "cmpq   $0x0,(%rdi)", "vmovq  %xmm0,%rax", "kmovw  %k1,%eax",
                "kortestw %k1,%k1", "vptest %ymm0,%ymm0", "vpgatherqq (%rdi,%zmm1,8),%zmm0{%k1}",
                "jmp    *%rax", "call   *%rax", "call   0 <memcpy>", "mov    -0x80(%rbp),%rax",
                "vpextrq $0x1,%xmm0,%rax", "add    (%rdi),%rax", "cmovne %rax,%rcx",
                "bt     %rax,%rcx"):
        assert of(bad), bad
    assert call("memset") == [] and call("f") == [], call("memset")
    assert call("memcpy") == [] and call("memcmp")
    assert of("call   9 <f+0x9>", "ret") and of("call   9 <f+0x9>")
    print("object_code: finds what it should")


def main():
    if len(sys.argv) < 2:
        return test_itself()
    text = subprocess.run(["objdump", "-dr", "--no-show-raw-insn", sys.argv[1]], check=True,
                          capture_output=True, text=True).stdout
    findings, multiplications = check(text)
    if multiplications < 100:
        findings.append(f"only {multiplications} multiplications by eight: is this the right file?")
    print(*findings, sep="\n")
    print(f"object_code: {multiplications} multiplications by eight, {len(findings)} findings")
    return 1 if findings else 0


if __name__ == "__main__":
    sys.exit(main())
