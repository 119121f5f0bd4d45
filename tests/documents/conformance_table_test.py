# SPDX-License-Identifier: Apache-2.0
"""docs/conformance.md names, for each promise of the API, the test that proves it: every test that it
names is there, and every route of docs/openapi.json and every row of the contract has a row.

usage: conformance_table_test.py
"""
import ast
import json
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs/conformance.md"
CONTRACT_ROWS = 29  # section 2: its overview
TOLERANCES = 10     # section 6.14
HEADING, ABSENT = "proof", "not in this version"
# In the last column: module.Class.test or module.Class of tests/system; system/... of ctest;
# Suite.Name of C++.
CHECK = re.compile(r"(\w+)\.(\w+)\.(test_\w+)")
CHECKS = re.compile(r"(\w+_(?:checks|test))\.(\w+)")
CTEST = re.compile(r"[a-z_]+(?:/[a-z_]+)+")
UNIT = re.compile(r"([A-Z]\w+)\.([A-Z]\w+)")


def python_checks():
    """{"module.Class", "module.Class.test_name"} of all tests in Python."""
    found = set()
    for path in (ROOT / "tests/system").rglob("*.py"):
        for item in ast.parse(path.read_text()).body:
            if not isinstance(item, ast.ClassDef):
                continue
            tests = [f"{path.stem}.{item.name}.{each.name}" for each in item.body
                     if isinstance(each, ast.FunctionDef) and each.name.startswith("test_")]
            found |= {f"{path.stem}.{item.name}", *tests} if tests else set()
    return found


def ctests():
    """Names of tests that CMake declares: as they stand, for each word of a foreach, and for each file
    that it globs."""
    found = set()
    for path in (ROOT / "tests").rglob("CMakeLists.txt"):
        text = path.read_text()
        found |= set(re.findall(r"NAME ([\w/]+)", text))
        for words, name in re.findall(r"foreach\(name\s+([^)]*)\).*?NAME ([\w/]+)\$\{name\}", text,
                                      re.DOTALL):
            found |= {name + word for word in words.split()}
        if "GLOB files" in text:
            names = [file.stem.removesuffix("_test") for file in path.parent.glob("*_test.py")]
            found |= {prefix + name for prefix in re.findall(r"NAME ([\w/]+)\$\{name\}", text)
                      for name in names}
    return found


def unit_tests():
    sources = [*(ROOT / "src").rglob("*_test.cc"), *(ROOT / "tests").rglob("*.cc")]
    return {".".join(pair) for path in sources for pair in
            re.findall(r"^TEST(?:_[FP])?\((\w+), (\w+)\)", path.read_text(), re.MULTILINE)}


def rows():
    """The cells of each row of each table."""
    for line in PAGE.read_text().splitlines():
        cells = [cell.strip() for cell in line.strip().strip("|").split(" | ")]
        if line.startswith("|") and len(cells) > 1 and not set(line) <= set("|- "):
            yield cells


def unproven(cell, known):
    """What a cell names that is no test, or that it names none."""
    names = re.findall(r"`([^`]+)`", cell)
    if not names:
        return ["names no test"]
    out = []
    for name in names:
        if not any(form.fullmatch(name) for form in (CHECK, CHECKS, CTEST, UNIT)):
            out.append(f"{name} looks like no test")
        elif name not in known:
            out.append(f"{name} is not there")
    return out


def routes_of_openapi():
    paths = json.loads((ROOT / "docs/openapi.json").read_text())["paths"]
    return {f"{method.upper()} {path}" for path, item in paths.items() for method in item}


def main():
    known = python_checks() | ctests() | unit_tests()
    there = routes_of_openapi()
    findings, routes, contract, tolerances = [], set(), [], []
    for cells in rows():
        told = set(re.findall(r"`([A-Z]+ /[^`]*)`", " ".join(cells[:-1])))
        routes |= told
        contract += [int(cells[0])] if cells[0].isdigit() else []
        tolerances += re.findall(r"^6\.14\.(\d+)$", cells[0])
        if cells[-1] == ABSENT:
            findings += [f"{route} is there: name what proves it" for route in told & there]
        elif cells[-1] != HEADING:
            findings += [f"{' | '.join(cells[:2])}: {what}" for what in unproven(cells[-1], known)]
    findings += [f"no row has the route {route}" for route in sorted(there - routes)]
    findings += [f"no row has number {number} of the contract" for number in
                 range(1, CONTRACT_ROWS + 1) if number not in contract]
    findings += [f"no row has tolerance 6.14.{number}" for number in range(1, TOLERANCES + 1)
                 if str(number) not in tolerances]
    for finding in findings:
        print(finding)
    print(f"{len(known)} tests known, {len(routes)} routes, {len(findings)} findings")
    return 1 if findings else 0


if __name__ == "__main__":
    sys.exit(main())
