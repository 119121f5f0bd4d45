// SPDX-License-Identifier: Apache-2.0
#include "support/postgres/server.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <memory>
#include <stdexcept>
#include <thread>
#include <vector>

#include <fcntl.h>
#include <fmt/format.h>
#include <libpq-fe.h>
#include <pwd.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "store/postgres/dialer.h"
#include "store/postgres/schema.h"

namespace todoku {
namespace {

constexpr const char* kUser = "todoku";
constexpr const char* kTemplate = "todoku_template";
constexpr int kPoolerPort = 6'432;

constexpr std::array kSettings{"listen_addresses=",
                               "max_connections=60",
                               "autovacuum=off",
                               "log_min_messages=panic",
                               "max_wal_size=4GB",
                               "checkpoint_timeout=1h",
                               "unix_socket_permissions=0777",
                               "password_encryption=scram-sha-256"};
// Everything that a test needs of durability is that the server outlives its clients.
constexpr std::array kForTests{"fsync=off", "synchronous_commit=off", "full_page_writes=off",
                               "shared_buffers=64MB"};
constexpr std::array kDurable{"fsync=on", "synchronous_commit=on", "full_page_writes=on",
                              "shared_buffers=512MB"};
bool durable = false;

std::filesystem::path programs() {
  std::filesystem::path newest;
  int version = 0;
  std::error_code none;
  for (const auto& entry : std::filesystem::directory_iterator("/usr/lib/postgresql", none)) {
    const int found = std::atoi(entry.path().filename().c_str());
    if (found > version && std::filesystem::exists(entry.path() / "bin" / "initdb")) {
      version = found;
      newest = entry.path() / "bin";
    }
  }
  if (newest.empty()) {
    throw std::runtime_error("PostgreSQL's server is not installed: tools/install test");
  }
  return newest;
}

// Its programs refuse to be root's.
const passwd* unprivileged() {
  if (::getuid() != 0) return nullptr;
  const passwd* const owner = ::getpwnam("postgres");
  if (owner == nullptr) throw std::runtime_error("there is no user postgres: tools/install test");
  return owner;
}

// In the child: becomes the program, which ends when the test program does.
[[noreturn]] void become(const std::filesystem::path& program, const std::vector<std::string>& args,
                         const passwd* owner) {
  if (owner != nullptr && (::setgid(owner->pw_gid) != 0 || ::setuid(owner->pw_uid) != 0)) {
    ::_exit(126);
  }
  ::prctl(PR_SET_PDEATHSIG, SIGQUIT);
  const int null = ::open("/dev/null", O_RDWR);
  ::dup2(null, STDIN_FILENO);
  ::dup2(null, STDOUT_FILENO);
  if (::chdir("/") != 0) ::_exit(126);
  std::vector<char*> raw{const_cast<char*>(program.c_str())};
  for (const std::string& arg : args) raw.push_back(const_cast<char*>(arg.c_str()));
  raw.push_back(nullptr);
  ::execv(program.c_str(), raw.data());
  ::_exit(127);
}

pid_t spawn(const std::filesystem::path& program, const std::vector<std::string>& args) {
  const passwd* const owner = unprivileged();
  const pid_t child = ::fork();
  if (child < 0) throw std::runtime_error("fork failed");
  if (child == 0) become(program, args, owner);
  return child;
}

}  // namespace

PostgresSession::PostgresSession(const std::string& address)
    : connection_(PQconnectdb(address.c_str()), &PQfinish) {
  if (PQstatus(connection_.get()) != CONNECTION_OK) {
    throw std::runtime_error(PQerrorMessage(connection_.get()));
  }
}

std::string PostgresSession::ask(const std::string& sql) const {
  const std::unique_ptr<PGresult, decltype(&PQclear)> result(PQexec(connection_.get(), sql.c_str()),
                                                             &PQclear);
  const auto status = PQresultStatus(result.get());
  if (status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK) {
    throw std::runtime_error(fmt::format("{}: {}", sql, PQerrorMessage(connection_.get())));
  }
  std::string lines;
  for (int row = 0; row < PQntuples(result.get()); ++row) {
    lines += PQgetvalue(result.get(), row, 0);
    lines += '\n';
  }
  return lines;
}

PostgresServer& PostgresServer::running() {
  static PostgresServer server{{}};
  return server;
}

void PostgresServer::make_durable() {
  durable = true;
}

PostgresServer::PostgresServer(std::vector<std::string> settings)
    : settings_(std::move(settings)), owner_(::getpid()) {
  std::string pattern = (std::filesystem::temp_directory_path() / "todoku-pg-XXXXXX").string();
  if (::mkdtemp(pattern.data()) == nullptr) throw std::runtime_error("no temporary directory");
  folder_ = pattern;
  if (const passwd* const owner = unprivileged(); owner != nullptr) {
    if (::chown(folder_.c_str(), owner->pw_uid, owner->pw_gid) != 0) {
      throw std::runtime_error("the folder of the server cannot be given to postgres");
    }
  }
  std::filesystem::permissions(folder_, std::filesystem::perms(0711));
  initialize();
  start();
  make_template();
}

PostgresServer::~PostgresServer() {
  if (::getpid() != owner_) return;
  stop();
  std::error_code ignored;
  std::filesystem::remove_all(folder_, ignored);
}

void PostgresServer::initialize() const {
  const pid_t child =
      spawn(programs() / "initdb", {"-D", folder_ / "data", "-U", kUser, "-N", "--auth=trust",
                                    "--locale=C.UTF-8", "-E", "UTF8"});
  int status = 0;
  ::waitpid(child, &status, 0);
  if (status != 0) throw std::runtime_error("initdb failed");
  // One who has to know a password, and the others.
  std::ofstream(folder_ / "data" / "pg_hba.conf") << "local all rotated scram-sha-256\n"
                                                     "local all all trust\n";
}

void PostgresServer::start() {
  std::vector<std::string> args{"-D", folder_ / "data", "-c",
                                "unix_socket_directories=" + folder_.string()};
  const auto set = [&args](const auto& settings) {
    for (const auto& setting : settings) {
      args.emplace_back("-c");
      args.emplace_back(setting);
    }
  };
  set(kSettings);
  set(durable ? kDurable : kForTests);
  set(settings_);
  server_ = spawn(programs() / "postgres", args);
  await(server_, address("postgres"));
}

void PostgresServer::await(pid_t program, const std::string& address) {
  while (PQping(address.c_str()) != PQPING_OK) {
    int status = 0;
    if (::waitpid(program, &status, WNOHANG) == program) {
      throw std::runtime_error(fmt::format("{} does not start: status {}", address, status));
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
}

void PostgresServer::start_pooler() {
  const auto file = folder_ / "pgbouncer.ini";
  std::ofstream(file) << fmt::format(
      "[databases]\n* = host={0} port=5432 user={1}\n"
      "[pgbouncer]\nunix_socket_dir = {0}\nlisten_port = {2}\nlisten_addr =\n"
      "auth_type = any\npool_mode = transaction\nmax_client_conn = 200\n"
      "default_pool_size = 4\nserver_idle_timeout = 1\nlog_connections = 0\n"
      "log_disconnections = 0\nstats_period = 3600\n",
      folder_.string(), kUser, kPoolerPort);
  pooler_ = spawn("/usr/sbin/pgbouncer", {"-q", file});
  await(pooler_, pooled_address("postgres"));
}

void PostgresServer::stop() {
  for (pid_t* const program : {&pooler_, &server_}) {
    if (*program == 0) continue;
    ::kill(*program, SIGQUIT);  // nothing of it is kept
    int status = 0;
    ::waitpid(*program, &status, 0);
    *program = 0;
  }
}

std::string PostgresServer::address(const std::string& database) const {
  return fmt::format("host={} user={} dbname={}", folder_.string(), kUser, database);
}

std::string PostgresServer::pooled_address(const std::string& database) {
  if (std::getenv("TODOKU_TEST_POOLER") == nullptr) return address(database);
  if (pooler_ == 0) start_pooler();
  return fmt::format("{} port={}", address(database), kPoolerPort);
}

void PostgresServer::execute(const std::string& database, const std::string& sql) const {
  (void)ask(database, sql);
}

std::string PostgresServer::ask(const std::string& database, const std::string& sql) const {
  return PostgresSession(address(database)).ask(sql);
}

void PostgresServer::make_template() const {
  execute("postgres", fmt::format("CREATE DATABASE {}", kTemplate));
  store::postgres::Dialer dialer({.address = address(kTemplate), .password = {}});
  auto link = dialer.dial();
  if (!link) throw std::runtime_error(link.error().detail);
  if (const auto taken = store::postgres::take_schema_steps(**link); !taken) {
    throw std::runtime_error(taken.error().detail);
  }
}

std::string PostgresServer::make_database() {
  const std::string name = fmt::format("test{}", ++databases_);
  execute("postgres", fmt::format("CREATE DATABASE {} TEMPLATE {}", name, kTemplate));
  return name;
}

void PostgresServer::drop_database(const std::string& name) const {
  if (::getpid() != owner_) return;
  execute("postgres", fmt::format("DROP DATABASE IF EXISTS {} WITH (FORCE)", name));
}

}  // namespace todoku
