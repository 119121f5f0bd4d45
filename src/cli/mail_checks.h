// SPDX-License-Identifier: Apache-2.0
// What the commands that judge mail share (`dkim verify`, `spf check`, `dmarc check`): which name
// servers they ask, how they read mail, and --batch: a case a line on standard input, its answer a
// line on standard output (docs/cli.md).
#pragma once

#include <cstddef>
#include <functional>
#include <istream>
#include <memory>
#include <string>
#include <string_view>

#include <CLI/App.hpp>
#include <boost/json/object.hpp>

#include "async/task.h"
#include "base/result.h"
#include "cli/check_resolver.h"
#include "cli/session.h"
#include "cli/word_book.h"
#include "dns/resolver.h"

namespace todoku::cli {

struct CheckOptions {
  bool batch = false;
  std::string resolver;  // "HOST:PORT"; empty: the system's
};

// Adds --batch and --resolver to `command`.
void add_check_options(const WordBook& book, CLI::App* command, CheckOptions& options);

// The exit status where something could not be read; whatever a verdict is, it is 0.
inline constexpr int kUnreadable = 2;

inline constexpr std::size_t kCaseOctetsMax = std::size_t{1} << 20U;  // of a line of --batch
// Of "id", which is text or a number and comes back with the answer; of any other member.
inline constexpr std::size_t kCaseIdOctetsMax = 256;
inline constexpr std::size_t kCaseTextOctetsMax = 16'384;
inline constexpr std::size_t kCasesMax = 64;  // in flight at once
inline constexpr std::size_t kMailOctetsMax = std::size_t{64} << 20U;

// Judges a case: the members of its line, which live until the task ends, to those of the answer
// but "id". Runs on the resolver's thread beside other cases. Errors: the sentence of "error".
using JudgeCase = std::function<Task<Result<boost::json::object>>(const boost::json::object& given,
                                                                  dns::Resolver& resolver)>;

// Answers each line of standard input in the order of the lines, flushed line by line; empty ones
// are passed over. One that cannot be read is answered by "error", and the others go on. Returns
// the exit status.
int check_batch(Session& session, const CheckOptions& options, const JudgeCase& judge);

// Runs `check` on a resolver and returns what it does, the exit status. What it refers to lives
// until then.
int check_once(Session& session, const CheckOptions& options,
               const std::function<Task<int>(dns::Resolver& resolver)>& check);

// Prints the sentence; returns kUnreadable.
int unreadable(Session& session, std::string_view sentence);

// A reason, problem or warning of an evaluation.
[[nodiscard]] std::string in_language_of(const Session& session, const std::string& reason);

// A member of a case that is text. "" if it is not there. Errors: invalid_input (another kind,
// more than kCaseTextOctetsMax).
[[nodiscard]] Result<std::string> case_text(const boost::json::object& given,
                                            std::string_view name);
// The same, which must be there.
[[nodiscard]] Result<std::string> needed_case_text(const boost::json::object& given,
                                                   std::string_view name);

// A mail in a file, whose lines may end with LF: each becomes CRLF, as on the way (RFC 5321 section
// 2.3.8; opendkim-testmsg and dkimverify do so, too). Errors as read_file(), of kMailOctetsMax.
[[nodiscard]] Result<std::string> read_mail(const std::string& path);
// The same, "-" for `input`.
[[nodiscard]] Result<std::string> read_mail(const std::string& path, std::istream& input);

}  // namespace todoku::cli
