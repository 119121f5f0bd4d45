# SPDX-License-Identifier: Apache-2.0
"""Signed calls before the npm package standardwebhooks, and before the verifiers that
docs/webhooks.md shows its readers, which are taken from that page.

usage: verifiers_test.py TOOL PAGE WORK_FOLDER
"""
import json
import pathlib
import re
import shutil
import subprocess
import sys
import time

HERE = pathlib.Path(__file__).resolve().parent
TOOL, PAGE, WORK = sys.argv[1], pathlib.Path(sys.argv[2]), pathlib.Path(sys.argv[3])

PYTHON_AROUND = """
import json, sys
for line in sys.stdin:
    call = json.loads(line)
    try:
        verify(call["key"], call["headers"], call["body"].encode())
        print("ok")
    except Exception as error:
        print(f"refused: {error}")
"""
NODE_AROUND = """
require("node:readline").createInterface({ input: process.stdin }).on("line", (line) => {
  const call = JSON.parse(line);
  try {
    verify(call.key, call.headers, Buffer.from(call.body));
    console.log("ok");
  } catch (error) {
    console.log("refused: " + error.message);
  }
});
"""
PHP_AROUND = """
while (($line = fgets(STDIN)) !== false) {
    $call = json_decode($line, true);
    try {
        verify($call["key"], $call["headers"], $call["body"]);
        echo "ok\\n";
    } catch (Exception $error) {
        echo "refused: " . $error->getMessage() . "\\n";
    }
}
"""


def expect(condition, what):
    if not condition:
        raise AssertionError(what)


def tool(*words):
    return subprocess.run([TOOL, *words], check=True, capture_output=True, text=True).stdout


def secret(kind):
    text, public = tool("secret", kind).split("\n")[:2]
    return text, public or text


def call(at, events, *secrets):
    return json.loads(tool("call", str(int(at)), str(events), *secrets))


def shown(language):
    """The page's code block in that language that defines verify()."""
    blocks = re.findall(rf"^```{language}\n(.*?)^```$", PAGE.read_text(), re.S | re.M)
    (block,) = [text for text in blocks if "verify(" in text]
    return block


def install():
    WORK.mkdir(parents=True, exist_ok=True)
    for name in ("package.json", "npm_verifier.js"):
        shutil.copy(HERE / name, WORK)
    if not (WORK / "node_modules/standardwebhooks").exists():
        subprocess.run(["npm", "install", "--prefer-offline", "--no-audit", "--no-fund",
                        "--no-package-lock", "--loglevel=error"], cwd=WORK, check=True)


def write(name, text):
    (WORK / name).write_text(text)
    return name


def verifiers():
    """Each with the kinds of keys that it knows."""
    yield "npm", ["node", "npm_verifier.js"], ("hmac",)
    both = ("hmac", "ed25519")
    yield "node", ["node", write("shown.js", shown("js") + NODE_AROUND)], both
    yield "python", ["/usr/bin/python3", write("shown.py", shown("python") + PYTHON_AROUND)], both
    if shutil.which("php"):
        yield "php", ["php", write("shown.php", shown("php") + PHP_AROUND)], ("hmac",)
    else:
        print("no php here: its verifier is not run")


def verdicts(command, calls):
    lines = "".join(json.dumps(one) + "\n" for one in calls)
    done = subprocess.run(command, cwd=WORK, input=lines, capture_output=True, text=True,
                          timeout=600)
    expect(done.returncode == 0, done.stderr)
    return done.stdout.splitlines()


def changed(one, **how):
    return {"key": one["key"], "headers": {**one["headers"], **how.get("headers", {})},
            "body": how.get("body", one["body"])}


def check(name, command, kind):
    old, old_key = secret(kind)
    new, new_key = secret(kind)
    _, other_key = secret(kind)
    now = time.time()
    single = {**call(now, 1, new), "key": new_key}
    batch = {**call(now, 40, new), "key": new_key}
    rotating = call(now, 1, new, old)
    good = [single, batch, {**rotating, "key": new_key}, {**rotating, "key": old_key}]
    bad = [
        {**single, "key": other_key},
        changed(single, body=single["body"].replace("550", "250")),
        changed(single, headers={"webhook-id": "evt_7"}),
        changed(single, headers={"webhook-timestamp": str(int(now) + 1)}),
        changed(single, headers={"webhook-signature": "v1,AAAA v1a,AAAA"}),
        {**call(now - 3600, 1, new), "key": new_key},
        {**call(now + 3600, 1, new), "key": new_key},
    ]
    answers = verdicts(command, good + bad)
    expect(len(answers) == len(good) + len(bad), f"{name}: {answers}")
    for answer in answers[:len(good)]:
        expect(answer == "ok", f"{name}, {kind}: {answer}")
    for number, answer in enumerate(answers[len(good):]):
        expect(answer.startswith("refused"), f"{name}, {kind}, bad call {number}: {answer}")


def main():
    install()
    for name, command, kinds in verifiers():
        for kind in kinds:
            check(name, command, kind)
            print(f"{name}: verifies {kind}")


if __name__ == "__main__":
    main()
