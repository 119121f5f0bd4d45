// SPDX-License-Identifier: Apache-2.0
// What programs say to a sendmail: the options of sendmail(1) as Postfix, Exim and the original
// take them, which are one letter each, together or apart from their values ("-fADDR", "-f ADDR",
// "-ti"), before and behind recipients. Pure.
#pragma once

#include <cstdint>
#include <expected>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/bilingual.h"
#include "mail/dsn.h"

namespace todoku::cli {

struct SendmailCommand {
  enum class Work : std::uint8_t {
    send,        // a message on standard input
    speak_smtp,  // -bs
    show_queue,  // -bp, mailq
    nothing,     // -bi, newaliases, -q: there is nothing to be done here
  };
  Work work = Work::send;
  bool reads_recipients = false;      // -t
  bool dot_ends = true;               // not with -i
  bool is_verbose = false;            // -v
  std::optional<std::string> sender;  // -f, as given; "" and "<>" are the null path
  std::string name;                   // -F
  std::vector<std::string> recipients;
  DsnNotify notify;                             // -N
  DsnReturn returned = DsnReturn::unspecified;  // -R
  std::string envelope_id;                      // -V
  std::optional<std::string> config;            // -C
};

// One option: what the page and the completion say of it.
struct SendmailOption {
  enum class Value : std::uint8_t {
    none,
    apart,   // together with it or apart
    joined,  // together with it, or none
  };
  char letter;
  Value value = Value::none;
  std::string_view value_name = {};
  Sentence help = {};  // empty: taken because programs say it, and without effect
};
[[nodiscard]] std::span<const SendmailOption> sendmail_options();

// The words behind the program's name. The error is a sentence for the user.
[[nodiscard]] std::expected<SendmailCommand, BilingualText> parse_sendmail(
    std::span<const std::string> words);

// The words of a program that was called by a name of sendmail's ("/usr/sbin/sendmail", "mailq",
// "newaliases") as those of `todoku`; others as they are.
[[nodiscard]] std::vector<std::string> words_as_called(std::string_view program,
                                                       std::vector<std::string> words);

}  // namespace todoku::cli
