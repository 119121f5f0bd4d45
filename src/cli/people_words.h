// SPDX-License-Identifier: Apache-2.0
// The words of `todoku console` and `todoku people`: who signs in by a browser.
#pragma once

#include <string>

#include <CLI/App.hpp>

#include "cli/commands.h"
#include "cli/word_book.h"

namespace todoku::cli {

class PeopleWords {
 public:
  // Adds all of them. Must live until the command has been done.
  explicit PeopleWords(WordBook book);
  PeopleWords(const PeopleWords&) = delete;
  PeopleWords& operator=(const PeopleWords&) = delete;

 private:
  void add_console();
  void add_people();
  CLI::App* of_person(CLI::App* group, const std::string& name, const Sentence& help);

  WordBook book_;
  PersonInvite invite_;
  std::string email_;
  std::string account_;
};

}  // namespace todoku::cli
