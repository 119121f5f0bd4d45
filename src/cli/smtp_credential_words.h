// SPDX-License-Identifier: Apache-2.0
// The words of `todoku smtp-credential` (cli/commands.h, smtp_credentials.cc).
#pragma once

#include <string>
#include <string_view>

#include <CLI/App.hpp>

#include "cli/commands.h"
#include "cli/sender_words.h"
#include "operate/calls/call.h"

namespace todoku::cli {

class SmtpCredentialWords {
 public:
  // Adds all of them. Must live until the command has been done.
  explicit SmtpCredentialWords(WordBook book);
  SmtpCredentialWords(const SmtpCredentialWords&) = delete;
  SmtpCredentialWords& operator=(const SmtpCredentialWords&) = delete;

 private:
  void add();
  void names(CLI::App* command);
  void password(CLI::App* command);
  void terms(CLI::App* command, const operate::Call& call);
  void option(CLI::App* command, const std::string& name, auto& target, const operate::Call& call,
              std::string_view argument);
  [[nodiscard]] std::string say(const Sentence& sentence) const {
    return std::string(sentence.in(book_.language));
  }

  WordBook book_;
  SmtpCredentialRequest request_;
};

}  // namespace todoku::cli
