// SPDX-License-Identifier: Apache-2.0
// The words of the senders' commands (cli/sender_commands.h).
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include <CLI/App.hpp>

#include "base/bilingual.h"
#include "cli/word_book.h"

namespace todoku::cli {

class SenderWords {
 public:
  // Adds all of them. Must live until the command has been done.
  explicit SenderWords(WordBook book);
  ~SenderWords();
  SenderWords(const SenderWords&) = delete;
  SenderWords& operator=(const SenderWords&) = delete;

 private:
  struct Values;
  void add_message(CLI::App* command, bool bulk);
  void add_send();
  void add_resend();
  void add_bulk();
  void add_bulk_import(CLI::App* group);
  void add_bulk_orders(CLI::App* group);
  void add_deliveries();
  void add_preview();
  void add_logs();
  void add_usage();
  void add_tags();
  void add_events();
  void add_webhook();
  // One that names an endpoint.
  CLI::App* webhook_verb(CLI::App* group, const std::string& name, const Sentence& help);
  void add_one_webhook(CLI::App* group, const std::string& name, const Sentence& help,
                       int (*body)(Session&, const std::string&));
  void add_webhook_replay(CLI::App* group);
  void add_templates();
  void add_template_texts(CLI::App* command);
  CLI::App* template_verb(CLI::App* group, const std::string& name, const Sentence& help);
  void add_dev();
  void add_profile();
  void add_search(CLI::App* command, bool of_any_type);
  CLI::Option* option(CLI::App* command, const std::string& name, auto& target,
                      const Sentence& help);
  // One that may be given several times, a value each.
  CLI::Option* several(CLI::App* command, const std::string& name, std::vector<std::string>& target,
                       const Sentence& help);
  void flag(CLI::App* command, const std::string& name, bool& target, const Sentence& help);
  void id(CLI::App* command);

  WordBook book_;
  std::unique_ptr<Values> values_;
};

}  // namespace todoku::cli
