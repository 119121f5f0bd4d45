# SPDX-License-Identifier: Apache-2.0
"""An installation of several processes, each with roles of its own, over one PostgreSQL server.

    with OnCluster(binary, server, queue, {"api1": "api", "courier1": "courier", ...}) as stack:
        stack.post_to("api1", [...])

Each process has a folder, an admin socket and a listener for metrics of its own, and says hello to
receivers with its name, so that the sink's log tells who sent what.
"""
import contextlib
import http.client
import json
import pathlib
import signal
import sys
import time

SYSTEM = pathlib.Path(__file__).resolve().parents[1]
sys.path[:0] = [str(SYSTEM / "store_postgres"), str(SYSTEM / "sqs")]

from on_postgres import (DOMAINS, FROM, OnPostgres, addresses, check,  # noqa: E402,F401
                         check_equal)
import processes  # noqa: E402
from api import Api, is_ready  # noqa: E402
from ports import free_port  # noqa: E402
from postgres_server import PostgresServer  # noqa: E402

CONNECTIONS = 5  # of a lane
UNRECORDED_MAX = 64
SOURCES = ("east", "west")
CONFIG = ("[delivery]", "bulk_retry_seconds = [1, 2]", "transactional_retry_seconds = [1, 2]",
          "site_rest_first_seconds = 2", f"unrecorded_max = {UNRECORDED_MAX}")


class Process:
    """One of the installation's."""

    def __init__(self, name, roles, config, api_port, metrics_port):
        self.name = name
        self.roles = roles
        self.config = config
        self.api_port = api_port
        self.metrics_port = metrics_port
        self.process = None

    def is_ready(self):
        return is_ready(self.metrics_port)


class OnCluster(OnPostgres):
    """`queue`: lines of the configuration. `roles`: by name of the process, with commas."""

    def __init__(self, binary, server, queue, roles, receivers):
        super().__init__(binary, server, receivers, config=CONFIG,
                         site_defaults=[f"connections_max = {CONNECTIONS}"])
        self.config += queue
        for index, source in enumerate(SOURCES):
            self.config += ["[[egress]]", f'name = "{source}"', f'bind_ipv4 = "127.0.3.{index + 1}"']
        self.roles = roles
        self.parts = {}

    def start_engine(self):
        for name, roles in self.roles.items():
            part = self.start_process(name, roles)
            if len(self.parts) == 1:  # makes the master key
                self.wait_for(part.is_ready, name)
        for part in self.parts.values():
            self.wait_for(part.is_ready, part.name)

    def show_logs(self):
        for name in [*self.parts, "sink"]:
            print(f"--- {name}.log", file=sys.stderr)
            print(processes.tail(self.directory / f"{name}.log", 25), file=sys.stderr)

    def start_process(self, name, roles):
        """Without waiting until it is ready."""
        api_port, metrics_port = free_port(), free_port()
        lines = []
        for line in self.common_lines(name):
            if line.startswith("listen = "):
                line = f'listen = "127.0.0.1:{api_port}"'
            if line.startswith("hello_name = "):
                line = f'hello_name = "{name}.sender.example"'
            lines.append(line)
        quoted = ", ".join(f'"{role}"' for role in roles.split(","))
        lines += ["[engine]", f"roles = [{quoted}]", "threads = 1", "[data]",
                  f'directory = "{name}-data"', "[metrics]",
                  f'listen = "127.0.0.1:{metrics_port}"']
        config = self.directory / f"{name}.toml"
        config.write_text("\n".join(lines) + "\n")
        part = Process(name, roles, config, api_port, metrics_port)
        part.process = processes.start(self.directory, name,
                                       [self.binary, "serve", "--config", str(config)])
        self.parts[name] = part
        return part

    def common_lines(self, name):
        """Of the configuration of a process: what is the same for all."""
        return (self.directory / "todoku.toml").read_text().splitlines()

    # ---- its processes ---------------------------------------------------------------------

    def kill(self, name):
        self.parts[name].process.kill()
        self.parts[name].process.wait()

    def end(self, name, seconds=30):
        """SIGTERM; seconds until the end."""
        began = time.monotonic()
        self.parts[name].process.send_signal(signal.SIGTERM)
        check_equal(self.parts[name].process.wait(seconds), 0, f"exit status of {name}")
        return time.monotonic() - began

    def metric_of(self, name, metric, **labels):
        return self.metric_at(self.parts[name].metrics_port, metric, **labels)

    def leader(self):
        """The scheduler that leads, by what it says of itself; None if none does."""
        for name, part in self.parts.items():
            if "scheduler" not in part.roles or part.process.poll() is not None:
                continue
            log = self.engine_log(name)
            if log.rfind("this process leads the schedulers") > log.rfind("leads no more"):
                return name
        return None

    def nodes(self, name):
        """What `todoku nodes` tells, asked at one process."""
        told = self.run_other(self.parts[name].config, "nodes", "--json")[1]
        return json.loads(told)["nodes"]

    def sources_of(self, name):
        return int(self.metric_of(name, "todoku_sources_owned"))

    def use(self, name):
        """What the calls of the API go to."""
        self.api.port = self.parts[name].api_port

    def try_to_post(self, name, to):
        """Whether a transaction was acknowledged."""
        body = json.dumps({"from": FROM, "to": to, "subject": "s", "text_part": "t"})
        connection = http.client.HTTPConnection("127.0.0.1", self.parts[name].api_port, timeout=30)
        try:
            connection.request("POST", "/api/v1/deliveries/transaction", body, {
                "Authorization": f"Bearer {self.api.token}", "Content-Type": "application/json"})
            return connection.getresponse().status == 201
        except OSError:
            return False
        except http.client.HTTPException:
            return False
        finally:
            connection.close()

    def senders(self):
        """By recipient, who sent each copy that arrived, in order."""
        by = {}
        for entry in self.log():
            by.setdefault(entry["rcpt_to"], []).append(entry["hello"].split(".")[0])
        return by

    def await_arrivals_of(self, wanted, what, seconds):
        wanted = set(wanted)
        try:
            self.wait_for(lambda: wanted <= self.senders().keys(), what, seconds)
        except RuntimeError as error:
            missing = sorted(wanted - self.senders().keys())
            raise RuntimeError(f"{error}; {len(missing)} missing, such as {missing[:3]}") from error


@contextlib.contextmanager
def queue_lines(kind, work=None):
    """The queue's part of the configuration."""
    if kind != "sqs":
        yield ["[queue]", f'kind = "{kind}"']
        return
    from on_sqs import KEY, SECRET, SqsEmulator, SqsProxy, queue_config, set_environment
    set_environment(AWS_ACCESS_KEY_ID=KEY, AWS_SECRET_ACCESS_KEY=SECRET)
    with SqsEmulator(work) as emulator, SqsProxy(emulator.port) as proxy:
        lines = list(queue_config(proxy))
        yield lines[:lines.index("[delivery]")]


def run(test):
    """usage: TEST TODOKU QUEUE_KIND [WORK_FOLDER]"""
    with PostgresServer() as server, queue_lines(*sys.argv[2:]) as queue:
        test(sys.argv[1], server, queue)
    print(f"{test.__name__}: ok")
    return 0
