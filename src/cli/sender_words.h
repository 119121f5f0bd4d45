// SPDX-License-Identifier: Apache-2.0
// The words of the senders' commands (cli/sender_commands.h).
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include <CLI/App.hpp>
#include <CLI/Validators.hpp>

#include "base/bilingual.h"
#include "base/check.h"
#include "cli/session.h"
#include "operate/calls/call.h"

namespace todoku::cli {

// What declares commands: `verb` adds one below a parent; `speaks` has it done by a session.
struct WordBook {
  CLI::App* app = nullptr;
  Language language = Language::english;
  std::function<CLI::App*(CLI::App* parent, const std::string& name, const Sentence& help)> verb;
  std::function<void(CLI::App* command, std::function<int(Session&)> body)> speaks;
};

// What the call declares of its argument: the help, whether it is needed, its range.
template <class Target>
CLI::Option* declare_option(CLI::App* command, const std::string& name, Target& target,
                            const operate::Call& call, std::string_view argument,
                            Language language) {
  const operate::Argument* const declared = call.find(argument);
  check(declared != nullptr, "the call has this argument");
  CLI::Option* const made =
      command->add_option(name, target, std::string(declared->help.in(language)))
          ->required(declared->needed);
  if (declared->kind == operate::Argument::Kind::number) {
    made->check(CLI::Range(declared->min, declared->max));
  }
  return made;
}

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
  void add_bulk();
  void add_bulk_orders(CLI::App* group);
  void add_deliveries();
  void add_logs();
  void add_events();
  void add_webhook();
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
