// SPDX-License-Identifier: Apache-2.0
// The words about the engine itself: `todoku status`, `drain`, `healthcheck`, `version`, `nodes`,
// `cluster` and `migrate`.
#pragma once

#include <string>

#include <CLI/App.hpp>

#include "cli/commands.h"
#include "cli/word_book.h"

namespace todoku::cli {

class EngineWords {
 public:
  // Adds all of them. Must live until the command has been done.
  explicit EngineWords(WordBook book);
  EngineWords(const EngineWords&) = delete;
  EngineWords& operator=(const EngineWords&) = delete;

 private:
  void add_operating();
  void add_cluster();
  void add_backup();
  void add_migrate();

  WordBook book_;
  int drain_seconds_ = 600;
  int migrate_seconds_ = 60;
  bool live_ = false;
  bool nodes_utc_ = false;
  bool send_waiting_ = false;
  bool cancel_waiting_ = false;
  std::string backup_to_;
  std::string restore_from_;
  std::string restore_at_;
  bool replace_ = false;
  std::string end_as_;
  std::string carry_from_;
  std::string carry_to_ = "postgres";
};

}  // namespace todoku::cli
