// SPDX-License-Identifier: Apache-2.0
// The words of the commands that judge mail as receivers do: `todoku dkim verify`,
// `todoku spf check`.
#pragma once

#include "cli/commands.h"
#include "cli/word_book.h"

namespace todoku::cli {

class CheckWords {
 public:
  // Adds all of them, to the groups that are there already, too. Must live until the command has
  // been done.
  explicit CheckWords(WordBook book);
  CheckWords(const CheckWords&) = delete;
  CheckWords& operator=(const CheckWords&) = delete;

 private:
  void add_dkim_verify();
  void add_spf_check();

  WordBook book_;
  DkimVerify dkim_;
  SpfCheck spf_;
};

}  // namespace todoku::cli
