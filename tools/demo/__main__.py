# SPDX-License-Identifier: Apache-2.0
"""The demonstration behind ./run: options, and the order of its steps."""
import argparse
import pathlib
import signal
import sys

from playground import DemoError, Playground
from processes import stop_all
from show import Show

ROOT = pathlib.Path(__file__).resolve().parents[2]


def parse_arguments():
    parser = argparse.ArgumentParser(
        prog="./run",
        description="Starts the engine, a name server and receivers on this machine, sends one "
        "transactional mail and a bulk of 1,000 through the public API, and shows where each "
        "ended. Everything it makes is in ./run-data, which is new every time.")
    parser.add_argument("--exit", action="store_true",
                        help="stop everything after the table; status 0 only if every mail "
                        "arrived exactly once, as it was written, with a valid signature")
    parser.add_argument("--port", type=int, default=8025, metavar="N",
                        help="port of the API on 127.0.0.1; 0 takes a free one (default: 8025)")
    parser.add_argument("--stop", action="store_true",
                        help="only stop what an earlier ./run left running")
    parser.add_argument("--data", type=pathlib.Path, default=ROOT / "run-data", metavar="DIR",
                        help="folder to use instead of ./run-data")
    parser.add_argument("--binary", type=pathlib.Path, metavar="FILE",
                        help="a todoku that is built already; nothing is installed or built")
    arguments = parser.parse_args()
    if not 0 <= arguments.port <= 65535:
        parser.error("--port is a number from 0 to 65535")
    arguments.data = arguments.data.resolve()
    arguments.binary = (arguments.binary or ROOT / "build/release/src/todoku").resolve()
    return arguments


def run(arguments, playground):
    playground.clear()
    playground.start()
    show = Show(playground)
    show.send()
    show.watch()
    complete = show.print_table()
    if not arguments.exit:
        show.print_next_commands()
        return complete
    print("==> stopping everything")
    stopped = playground.stop()
    return show.still_holds_after_stop() and stopped and complete


def main():
    arguments = parse_arguments()
    playground = Playground(ROOT, arguments)
    if arguments.stop:
        stopped = stop_all(arguments.data)
        print("stopped: " + ", ".join(name for name, _ in stopped) if stopped
              else "nothing was running")
        return 0
    # Whoever ends us ends what we started, too.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    keep_running = False
    try:
        complete = run(arguments, playground)
        keep_running = not arguments.exit
        return 0 if complete else 1
    except DemoError as error:
        print(f"\n./run: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\n./run: interrupted", file=sys.stderr)
        return 130
    finally:
        if not keep_running:
            playground.stop()


if __name__ == "__main__":
    sys.exit(main())
