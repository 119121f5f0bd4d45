// SPDX-License-Identifier: Apache-2.0
// The words of `todoku dkim` and `todoku domain`: as whom mail is sent, and what signs it.
#pragma once

#include <string>

#include <CLI/App.hpp>

#include "cli/commands.h"
#include "cli/word_book.h"

namespace todoku::cli {

class DomainWords {
 public:
  // Adds all of them. Must live until the command has been done.
  explicit DomainWords(WordBook book);
  DomainWords(const DomainWords&) = delete;
  DomainWords& operator=(const DomainWords&) = delete;

 private:
  void add_dkim();
  void add_dkim_import(CLI::App* group);
  void dkim_names(CLI::App* command, DkimGenerate& into, bool selector_required);
  void add_domain();
  void add_domain_setup(CLI::App* group);
  void add_domain_check(CLI::App* group);
  void add_domain_rotate(CLI::App* group);
  void add_domain_keys(CLI::App* group);
  void add_domain_history(CLI::App* group);
  void server_options(CLI::App* command, ProbeOptions& probe);
  // Who sends, and who is asked.
  void probe_options(CLI::App* command, PlatformWish& platform, ProbeOptions& probe);
  void domain_names(CLI::App* command, const operate::Call& call);
  void verify_names(CLI::App* verify);
  [[nodiscard]] DomainNames verified_names() const;

  WordBook book_;
  DkimGenerate dkim_;
  DkimImport import_;
  DomainNames domain_;
  std::string domain_account_;  // of --account
  DomainSetup setup_;
  DomainCheck check_;
  DomainRotate rotate_;
  DomainKeysWish keys_;
  DomainHistoryWish history_;
  bool domain_proven_ = false;
  bool domain_withdrawn_ = false;
  std::string domain_to_;
};

}  // namespace todoku::cli
