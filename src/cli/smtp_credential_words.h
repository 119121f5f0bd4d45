// SPDX-License-Identifier: Apache-2.0
// The words of `todoku smtp-credential` (cli/commands.h, smtp_credentials.cc).
#pragma once

#include <string>

#include <CLI/App.hpp>

#include "cli/commands.h"
#include "cli/word_book.h"
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

  WordBook book_;
  SmtpCredentialRequest request_;
};

}  // namespace todoku::cli
