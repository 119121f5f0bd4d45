// SPDX-License-Identifier: Apache-2.0
// A private server of PostgreSQL: one a test program, in a folder of its own, reached by a socket
// in that folder, and gone with the program. Every test has a database of its own, with the schema
// in it.
#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include <sys/types.h>

#include "base/result.h"

struct pg_conn;

namespace todoku {

// A connection of a superuser. Connecting takes the server some thirty milliseconds of work, so
// whoever has hundreds of statements keeps one.
class PostgresSession {
 public:
  // Throws with libpq's words if nobody answers.
  explicit PostgresSession(const std::string& address);
  // The first column of what the last of these statements answers, a line a row. Throws with the
  // statement and the server's words if it is refused.
  [[nodiscard]] std::string ask(const std::string& sql) const;

 private:
  std::unique_ptr<pg_conn, void (*)(pg_conn*)> connection_;
};

class PostgresServer {
 public:
  // Started by the first who asks. Throws with a sentence if PostgreSQL is not installed or does
  // not start.
  static PostgresServer& running();
  // Before it is started: what is committed shall outlive the machine, as in production; for
  // whoever measures.
  static void make_durable();
  // One besides, for a test that needs settings ("name=value") of its own.
  explicit PostgresServer(std::vector<std::string> settings);
  PostgresServer(const PostgresServer&) = delete;
  PostgresServer& operator=(const PostgresServer&) = delete;
  ~PostgresServer();

  // Where it listens.
  [[nodiscard]] std::filesystem::path socket() const { return folder_ / ".s.PGSQL.5432"; }
  // The address of a database, for libpq.
  [[nodiscard]] std::string address(const std::string& database) const;
  // The same; where the environment has TODOKU_TEST_POOLER, behind a pgbouncer in transaction mode,
  // which gives each transaction another connection.
  [[nodiscard]] std::string pooled_address(const std::string& database);
  // Statements of a superuser, one after the other.
  void execute(const std::string& database, const std::string& sql) const;
  // The first column of what a statement answers, a line a row.
  [[nodiscard]] std::string ask(const std::string& database, const std::string& sql) const;
  // A new database with every step of the schema; its name.
  [[nodiscard]] std::string make_database();
  void drop_database(const std::string& name) const;

 private:
  void initialize() const;
  void start();
  void start_pooler();
  // Until `address` is answered at, or `program` has ended.
  static void await(pid_t program, const std::string& address);
  void stop();
  void make_template() const;

  const std::vector<std::string> settings_;
  std::filesystem::path folder_;
  pid_t owner_ = 0;  // who made it: a child that was forked must not end it
  pid_t server_ = 0;
  pid_t pooler_ = 0;
  int databases_ = 0;
};

// A database that goes away with its owner.
class PostgresDatabase {
 public:
  PostgresDatabase() : name_(PostgresServer::running().make_database()) {}
  ~PostgresDatabase() { PostgresServer::running().drop_database(name_); }
  PostgresDatabase(const PostgresDatabase&) = delete;
  PostgresDatabase& operator=(const PostgresDatabase&) = delete;
  [[nodiscard]] const std::string& name() const { return name_; }
  [[nodiscard]] std::string address() const { return PostgresServer::running().address(name_); }
  void execute(const std::string& sql) const { PostgresServer::running().execute(name_, sql); }
  [[nodiscard]] std::string ask(const std::string& sql) const {
    return PostgresServer::running().ask(name_, sql);
  }

 private:
  std::string name_;
};

}  // namespace todoku
