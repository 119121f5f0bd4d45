// SPDX-License-Identifier: Apache-2.0
// The words of `todoku account` and `todoku key`: who may send, and by which key.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <CLI/App.hpp>

#include "cli/commands.h"
#include "cli/word_book.h"

namespace todoku::cli {

class AccountWords {
 public:
  // Adds all of them. Must live until the command has been done.
  explicit AccountWords(WordBook book);
  AccountWords(const AccountWords&) = delete;
  AccountWords& operator=(const AccountWords&) = delete;

 private:
  void add_account();
  void add_account_limit(CLI::App* group);
  void account_name(CLI::App* command);
  void add_key();

  WordBook book_;
  AccountAdd account_;
  std::string account_text_;
  std::vector<std::string> allowed_;
  bool allow_everybody_ = false;
  AccountRetention retention_;
  AccountLimit account_limit_;
  KeyRequest key_;
  std::int64_t key_id_ = 0;
  std::optional<std::int64_t> key_overlap_hours_;
};

}  // namespace todoku::cli
