# SPDX-License-Identifier: Apache-2.0
"""Runs what the compiler made of src/mailauth/rsa/ifma.cc on a processor that has no AVX-512.

Each instruction of the disassembly is done in Python, with its 512-bit registers as lists of eight
words; the results are held against Python's own integers.
Usage: run_object_code.py OBJECT [--whole]
By default the multiplication and the squaring, in a second; with --whole all of eight private
operations, in half a minute, and that the vector registers are empty afterwards.
"""
import operator
import random
import re
import subprocess
import sys
import tempfile

WORD = (1 << 64) - 1
DIGIT = (1 << 52) - 1
DIGITS = 20
R = 1 << (52 * DIGITS)
STACK, WORK, NOWHERE = 0x1000_0000, 0x2000_0000, -1

NAMES = ["rax", "rcx", "rdx", "rbx", "rsp", "rbp", "rsi", "rdi", *(f"r{i}" for i in range(8, 16))]
GENERAL = {**{f"%{name}": (i, WORD) for i, name in enumerate(NAMES)},
           **{f"%{name}d": (i, WORD >> 32) for i, name in enumerate(NAMES) if name[1:].isdigit()},
           **{f"%e{name[1:]}": (i, WORD >> 32) for i, name in enumerate(NAMES[:8])}}
MOVES = ("vmovdqa64", "vmovdqu64", "vmovaps", "vmovups")
RCX, RDX, RSP, RSI, RDI = 1, 2, 4, 6, 7


def signed(word):
    return word - (1 << 64) if word >> 63 else word


def ternary(table, a, b, c):
    """vpternlogq: bit i of the table is the result where a, b and c are the bits of i."""
    out = 0
    for i in range(8):
        if table >> i & 1:
            out |= (a if i & 4 else ~a) & (b if i & 2 else ~b) & (c if i & 1 else ~c)
    return out & WORD


def operands(text):
    parts, depth = [""], 0
    for c in text:
        depth += (c in "({") - (c in ")}")
        if c == "," and depth == 0:
            parts.append("")
        else:
            parts[-1] += c
    return [part.strip() for part in parts if part.strip()]


class Machine:
    def __init__(self, listing, constants):
        self.general, self.vectors, self.mask = [0] * 16, [[0] * 8 for _ in range(32)], 0
        self.zero = self.carry = False
        self.memory = dict(constants)
        self.lines, self.at, self.functions = [], {}, {}
        for line in listing.split("\n"):
            header = re.fullmatch(r"([0-9a-f]+) <(.*)>:", line)
            if header:
                self.functions[header.group(2)] = int(header.group(1), 16)
            elif "\t" in line:
                address, text = line.split("\t", 1)
                self.at[int(address.strip(" :"), 16)] = len(self.lines)
                self.lines.append((int(address.strip(" :"), 16), text))
        self.steps = [None] * len(self.lines)

    def call(self, function, *arguments):
        self.general[RSP] = STACK
        for register, value in zip((RDI, RSI, RDX, RCX), arguments):
            self.general[register] = value
        self.push(NOWHERE)
        (address,) = (a for name, a in self.functions.items()
                      if function in name and not name.endswith("@plt"))
        step = self.at[address]
        while step != NOWHERE:
            if self.steps[step] is None:
                self.steps[step] = self.understand(step)
            to = self.steps[step]()
            step = step + 1 if to is None else to

    def push(self, word):
        self.general[RSP] -= 8
        self.memory[self.general[RSP]] = word

    def pop(self):
        self.general[RSP] += 8
        return self.memory[self.general[RSP] - 8]

    # ---- operands --------------------------------------------------------------------------------

    def address(self, operand, following):
        offset, base, index, scale = re.fullmatch(
            r"(-?0x[0-9a-f]+)?\((%\w+)?(?:,(%\w+),(\d))?\)", operand).groups()
        offset = int(offset or "0", 16)
        if base == "%rip":
            return lambda: following + offset
        registers = self.general
        terms = [(GENERAL[name][0], int(times)) for name, times in ((base, 1), (index, scale or 0))
                 if name]
        return lambda: (offset + sum(registers[i] * times for i, times in terms)) & WORD

    def word(self, operand, following):
        if operand.startswith("$"):
            value = int(operand[1:], 16) & WORD
            return lambda: value
        if operand.startswith("%"):
            i, size = GENERAL[operand]
            return lambda: self.general[i] & size
        where = self.address(operand, following)
        return lambda: self.memory[where()]

    def vector(self, operand, following):
        if operand.startswith("%"):
            i = self.number(operand)
            return lambda: self.vectors[i]
        if operand.endswith("{1to8}"):
            one = self.word(operand[:-len("{1to8}")], following)
            return lambda: [one()] * 8
        where, memory = self.address(operand, following), self.memory

        def read():
            at = where()
            return [memory[at + i] for i in range(0, 64, 8)]
        return read

    @staticmethod
    def number(operand):
        return int(re.match(r"%[xyz]mm(\d+)", operand).group(1))

    def into(self, operand, make):
        """A step that puts what `make` gives into a vector register."""
        i = self.number(operand)

        def step():
            self.vectors[i] = make()
        return step

    # ---- instructions ----------------------------------------------------------------------------

    def understand(self, step):
        following = self.lines[step + 1][0] if step + 1 < len(self.lines) else 0
        text = re.sub(r"\s*#.*", "", self.lines[step][1])
        target = re.search(r"\b([0-9a-f]+) <", text)
        mnemonic, _, rest = re.sub(r"<.*>", "", text).strip().partition(" ")
        parts = operands(rest)
        if parts and parts[0].startswith("*"):
            # The jump to a function of the standard library.
            outside = re.search(r"<(\w+)", self.lines[step][1]).group(1)
            return {"memset": self.fill, "memcpy": self.copy}[outside]
        if mnemonic in ("call", "jmp", "je", "jne", "jae", "jb"):
            return self.jump(mnemonic, self.at[int(target.group(1), 16)], step + 1)
        if mnemonic[0] in "vk":
            return self.on_vectors(mnemonic, parts, following)
        return self.on_words(mnemonic, parts, following)

    def fill(self):
        assert self.general[RSI] & 0xff == 0 and self.general[RDX] % 8 == 0
        for i in range(0, self.general[RDX], 8):
            self.memory[self.general[RDI] + i] = 0
        return self.pop()

    def copy(self):
        assert self.general[RDX] % 8 == 0
        for i in range(0, self.general[RDX], 8):
            self.memory[self.general[RDI] + i] = self.memory[self.general[RSI] + i]
        return self.pop()

    def jump(self, mnemonic, to, after):
        def call():
            self.push(after)
            return to
        return {"call": call, "jmp": lambda: to,
                "je": lambda: to if self.zero else None,
                "jne": lambda: None if self.zero else to,
                "jae": lambda: None if self.carry else to,
                "jb": lambda: to if self.carry else None}[mnemonic]

    def on_words(self, mnemonic, parts, following):
        if mnemonic.startswith("nop") or mnemonic in ("data16", "cs", "endbr64", "int3"):
            return lambda: None
        if mnemonic == "ret":
            return self.pop
        if mnemonic == "push":
            value = self.word(parts[0], following)
            return lambda: self.push(value())
        if mnemonic in ("mov", "movq") and not parts[1].startswith("%"):
            value, where = self.word(parts[0], following), self.address(parts[1], following)

            def store():
                self.memory[where()] = value()
            return store
        i, size = GENERAL[parts[-1]]
        if mnemonic in ("mov", "movabs", "lea", "pop"):
            value = (self.pop if mnemonic == "pop" else self.address(parts[0], following)
                     if mnemonic == "lea" else self.word(parts[0], following))

            def load():
                self.general[i] = value() & size
            return load
        compute = {"add": operator.add, "inc": operator.add, "sub": operator.sub,
                   "dec": operator.sub, "cmp": operator.sub, "and": operator.and_,
                   "test": operator.and_, "xor": operator.xor, "shl": operator.lshift}[mnemonic]
        value = self.word(parts[0], following) if len(parts) == 2 else lambda: 1
        kept = mnemonic not in ("cmp", "test")
        carries = mnemonic not in ("inc", "dec")

        def reckon():
            result = compute(self.general[i] & size, value() & size)
            self.zero = result & size == 0
            if carries:
                self.carry = not 0 <= result <= size
            if kept:
                self.general[i] = result & size
        return reckon

    def on_vectors(self, mnemonic, parts, following):
        vectors = self.vectors
        if mnemonic == "vzeroupper":
            return lambda: None
        if mnemonic == "vzeroall":
            def clear():
                vectors[:16] = [[0] * 8 for _ in range(16)]
            return clear
        if mnemonic == "kxorw":
            def clear_mask():
                self.mask = 0 if parts[2] == "%k1" else self.mask
            return clear_mask
        if mnemonic in MOVES and not parts[1].startswith("%"):
            i, where, memory = self.number(parts[0]), self.address(parts[1], following), self.memory

            def store():
                at = where()
                for offset, word in zip(range(0, 64, 8), vectors[i]):
                    memory[at + offset] = word
            return store
        if mnemonic in ("vpbroadcastq", "vbroadcastsd"):
            one = self.word(parts[0], following)
            return self.into(parts[1], lambda: [one()] * 8)
        if mnemonic == "vmovd":
            one = self.word(parts[0], following)
            return self.into(parts[1], lambda: [one(), *[0] * 7])
        if mnemonic in ("vpsraq", "vpsrlq"):
            a = self.vector(parts[1], following)
            if parts[0].startswith("$"):
                count = self.word(parts[0], following)
            else:
                source = self.vector(parts[0], following)

                def count():
                    return source()[0]
            if mnemonic == "vpsrlq":
                return self.into(parts[2], lambda: [x >> count() for x in a()])
            return self.into(parts[2], lambda: [(signed(x) >> count()) & WORD for x in a()])
        if mnemonic == "vpternlogq":
            return self.ternary(parts, following)
        b = self.vector(parts[0], following)
        if mnemonic in MOVES:
            return self.into(parts[1], lambda: list(b()))
        a = self.vector(parts[1], following)
        if mnemonic == "vpcmpeqq":
            def compare():
                self.mask = sum((x == y) << i for i, (x, y) in enumerate(zip(a(), b())))
            return compare
        if mnemonic.startswith("vpmadd52"):
            s, shift = self.vector(parts[2], following), 52 if "h" in mnemonic else 0
            return self.into(parts[2], lambda: [
                (x + (((y & DIGIT) * (z & DIGIT)) >> shift & DIGIT)) & WORD
                for x, y, z in zip(s(), a(), b())])
        compute = {"vpaddq": operator.add, "vpsubq": operator.sub, "vpandq": operator.and_,
                   "vpxor": operator.xor, "vpxord": operator.xor, "vpxorq": operator.xor}[mnemonic]
        return self.into(parts[2], lambda: [compute(x, y) & WORD for x, y in zip(a(), b())])

    def ternary(self, parts, following):
        table, into = int(parts[0][1:], 16), parts[3]
        c, b = self.vector(parts[1], following), self.vector(parts[2], following)
        a = self.vector(re.sub(r"\{.*", "", into), following)

        def make():
            made = [ternary(table, x, y, z) for x, y, z in zip(a(), b(), c())]
            if "{%k1}{z}" not in into:
                return made
            return [word if self.mask >> i & 1 else 0 for i, word in enumerate(made)]
        return self.into(into, make)


def load(path):
    with tempfile.NamedTemporaryFile(suffix=".so") as linked:
        # Linked, calls and constants have addresses.
        subprocess.run(["ld", "-shared", "-o", linked.name, path], check=True)

        def show(*how):
            return subprocess.run(["objdump", *how, linked.name], check=True, text=True,
                                  capture_output=True).stdout

        constants = {}
        for line in show("-s", "-j", ".rodata").split("\n"):
            found = re.match(r" ([0-9a-f]+) ((?:[0-9a-f]+ ){1,4})", line)
            octets = bytes.fromhex(found.group(2)) if found else b""
            for i in range(0, len(octets), 8):
                constants[int(found.group(1), 16) + i] = int.from_bytes(octets[i:i + 8], "little")
        return Machine(show("-d", "--no-show-raw-insn"), constants)


def put(machine, at, numbers, bits=52, columns=DIGITS):
    """Eight numbers side by side: digit d of number i at at + 64 * d + 8 * i."""
    for i, number in enumerate(numbers):
        for d in range(columns):
            machine.memory[at + 64 * d + 8 * i] = number >> (bits * d) & ((1 << bits) - 1)
    return at + 64 * columns


def get(machine, at, columns=DIGITS):
    return [sum(machine.memory[at + 64 * d + 8 * i] << (52 * d) for d in range(columns))
            for i in range(8)]


def put_moduli(machine, at, moduli):
    at = put(machine, at, moduli)
    at = put(machine, at, [R * R % m for m in moduli])
    return put(machine, at, [-pow(m, -1, 1 << 52) % (1 << 52) for m in moduli], columns=1)


def check_products(machine, chance):
    for _ in range(3):
        moduli = [chance.getrandbits(1024) | 1 << 1023 | 1 for _ in range(8)]
        moduli[0] = (1 << 1024) - 1
        a, b = ([chance.choice((chance.randrange(4 * m), 4 * m - 1)) for m in moduli]
                for _ in range(2))
        put_moduli(machine, WORK, moduli)
        put(machine, WORK + 0x10000, a)
        put(machine, WORK + 0x20000, b)
        for name, factors in (("8multiply", (0x10000, 0x20000)), ("6square", (0x10000,))):
            machine.call(name, WORK + 0x30000, *(WORK + at for at in factors), WORK)
            second = b if len(factors) == 2 else a
            for got, x, y, m in zip(get(machine, WORK + 0x30000), a, second, moduli):
                assert got < 2 * m and got * R % m == x * y % m, name


def check_whole(machine, chance):
    """Operations of one published key (RFC 7515 appendix A.2.1), laid out as lanes.h says."""
    p, q = (int(digits, 16) for digits in PRIMES)
    d, e = pow(65537, -1, (p - 1) * (q - 1)), 65537
    inputs = [0, 1, p * q - 1, p, *(chance.randrange(p * q) for _ in range(4))]
    randoms = [chance.randrange(2, p * q) for _ in range(8)]
    at = WORK
    for prime in (p, q):
        at = put_moduli(machine, at, [prime] * 8)
        at = put(machine, at, [d % (prime - 1)] * 8, bits=64, columns=16)
        at = put(machine, at, [pow(r, e, prime) * R % prime for r in randoms])
        at = put(machine, at, [pow(r, -1, prime) * R % prime for r in randoms])
    at = put(machine, at, [pow(q, -1, p)] * 8)
    output = put(machine, at, inputs, columns=2 * DIGITS)
    machine.call("compute_with_ifma", WORK)
    assert get(machine, output, 2 * DIGITS) == [pow(x, d, p * q) for x in inputs]
    assert machine.vectors == [[0] * 8] * 32 and machine.mask == 0, "registers are left filled"


PRIMES = (
    "e01cc410eb48a6655d54464d0aa4bb6da0b872b774a6a9d11ffe480778f0ddb7"
    "311a7e902ef9c4b5f75476262ba8176cb35979f014372a1a2829e4136bd001d0"
    "7c3f3f2e4f25d4c934f63c7109fba2e67628a0dc9a73c6058e6def22dcd50950"
    "e711ddc16d5586f2a7fa75ea8494c18083e0b65742f8a0d5e73fb2d970f01947",
    "b903c47e0995b632f4532cb1f3c199145d5f3ae9c7dfeedc7a92a6b47e29c61b"
    "42a07aa95a64fc600999c5a7b01e01c08cb62ca756527bbcc56078fb0baba5ed"
    "38de2d07990ff6300faeadeb6c039a97bf1e507e4e7040fa78db8257c8b112ed"
    "5e59c3cd092fe5d4e5b51275d41281072a5e785ebaf3dae3709203133f5159d7")


def main():
    seed = random.randrange(1 << 32)
    print(f"seed {seed}")
    machine, chance = load(sys.argv[1]), random.Random(seed)
    (check_whole if "--whole" in sys.argv else check_products)(machine, chance)
    print("run_object_code: right")


if __name__ == "__main__":
    sys.exit(main())
