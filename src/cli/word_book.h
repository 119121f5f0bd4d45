// SPDX-License-Identifier: Apache-2.0
// How commands are declared in files of their own, a kind of commands each.
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include <CLI/App.hpp>
#include <CLI/Validators.hpp>

#include "base/bilingual.h"
#include "base/check.h"
#include "cli/session.h"
#include "operate/calls/call.h"

namespace todoku::cli {

// `verb` adds a command below a parent; `speaks` has it done by a session.
struct WordBook {
  CLI::App* app = nullptr;
  Language language = Language::english;
  std::function<CLI::App*(CLI::App* parent, const std::string& name, const Sentence& help)> verb;
  std::function<void(CLI::App* command, std::function<int(Session&)> body)> speaks;

  [[nodiscard]] std::string say(const Sentence& sentence) const {
    return std::string(sentence.in(language));
  }
  // With what the call declares of its argument: the help, whether it is needed, its range.
  template <class Target>
  CLI::Option* option(CLI::App* command, const std::string& name, Target& target,
                      const operate::Call& call, std::string_view argument) const {
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
};

}  // namespace todoku::cli
