// SPDX-License-Identifier: Apache-2.0
#include "cli/check_words.h"

#include <utility>

namespace todoku::cli {

CheckWords::CheckWords(WordBook book) : book_(std::move(book)) {
  add_dkim_verify();
}

void CheckWords::add_dkim_verify() {
  CLI::App* verify = book_.verb(book_.app->get_subcommand("dkim"), "verify",
                                {"Say whether the signatures of mails are good, and why",
                                 "メールの署名が正しいかどうかと、その理由を示す"});
  verify->add_option("FILE", dkim_.files,
                     book_.say({"Mails; - for standard input", "メール。- は標準入力"}));
  add_check_options(book_, verify, dkim_.options);
  book_.speaks(verify, [this](Session& s) { return dkim_verify(s, dkim_); });
}

}  // namespace todoku::cli
