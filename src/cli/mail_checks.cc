// SPDX-License-Identifier: Apache-2.0
#include "cli/mail_checks.h"

#include <cmath>
#include <condition_variable>
#include <deque>
#include <exception>
#include <filesystem>
#include <mutex>
#include <optional>
#include <system_error>
#include <utility>

#include <boost/asio/co_spawn.hpp>
#include <boost/json/serialize.hpp>
#include <boost/json/value.hpp>
#include <fmt/format.h>

#include "async/run_blocking.h"
#include "async/task_group.h"
#include "base/bytes.h"
#include "cli/printable_stream.h"
#include "cli/user_files.h"
#include "doctor/reason_words.h"
#include "http/json.h"

namespace todoku::cli {
namespace {

// The next line without its end; nullopt after the last. Errors: limit_exceeded, once the whole of
// the line has been passed over.
std::optional<Result<std::string>> next_line(std::istream& in) {
  using Traits = std::istream::traits_type;
  std::string line;
  bool too_long = false;
  std::streambuf& buffer = *in.rdbuf();
  for (auto c = buffer.sbumpc();; c = buffer.sbumpc()) {
    const bool at_end = Traits::eq_int_type(c, Traits::eof());
    // What came before an error is no line.
    if (at_end && (in.bad() || (line.empty() && !too_long))) return std::nullopt;
    if (at_end || Traits::to_char_type(c) == '\n') break;
    too_long = too_long || line.size() == kCaseOctetsMax;
    if (!too_long) line += Traits::to_char_type(c);
  }
  if (too_long) {
    return fail(ErrorKind::limit_exceeded,
                fmt::format("the line has more than {} bytes", kCaseOctetsMax));
  }
  return line;
}

// One case answered, whatever becomes of it.
struct CaseAnswer {
  boost::json::object members;
  bool was_read = true;
};

CaseAnswer unread_case(const boost::json::value& id, std::string_view sentence) {
  return {.members = {{"id", id}, {"error", sentence}}, .was_read = false};
}

// The name of a case, of memory of its own: the answer outlives the arena. Errors: invalid_input.
Result<boost::json::value> case_id(const boost::json::object& given) {
  const boost::json::value* const found = given.if_contains("id");
  if (found == nullptr || found->is_null()) return boost::json::value();
  if (found->is_string() && found->get_string().size() > kCaseIdOctetsMax) {
    return fail(ErrorKind::invalid_input,
                fmt::format("\"id\" has {} bytes, but at most {} are taken",
                            found->get_string().size(), kCaseIdOctetsMax));
  }
  if (!found->is_string() && !found->is_number()) {
    return fail(ErrorKind::invalid_input, fmt::format("\"id\" is {}, but must be text or a number",
                                                      found->is_object()  ? "an object"
                                                      : found->is_array() ? "an array"
                                                                          : "a truth value"));
  }
  // Beyond these an answer could not say the same number again.
  constexpr double kExactMax = 9'007'199'254'740'992.0;
  if (found->is_double() && !(std::abs(found->get_double()) < kExactMax)) {
    return fail(ErrorKind::invalid_input, "\"id\" is too large a number: write it as text");
  }
  return boost::json::value(*found, boost::json::storage_ptr());
}

Task<CaseAnswer> answer_case(Result<std::string> line,   // NOLINT(*-reference-coroutine-parameters)
                             const JudgeCase& judge,     // NOLINT(*-reference-coroutine-parameters)
                             dns::Resolver& resolver) {  // NOLINT(*-reference-coroutine-parameters)
  if (!line) co_return unread_case(nullptr, line.error().detail);
  http::JsonArena arena;
  const auto read = http::parse_json(*line, arena, {.octets_max = kCaseOctetsMax});
  if (!read) co_return unread_case(nullptr, read.error().detail);
  if (!read->is_object()) co_return unread_case(nullptr, "the line is not a JSON object");
  const boost::json::object& given = read->get_object();
  auto named = case_id(given);
  if (!named) co_return unread_case(nullptr, named.error().detail);
  boost::json::value id = std::move(*named);
  auto judged = co_await judge(given, resolver);
  if (!judged) co_return unread_case(id, judged.error().detail);
  CaseAnswer answer;
  answer.members.emplace("id", std::move(id));
  for (auto& [name, value] : *judged) answer.members.insert_or_assign(name, std::move(value));
  co_return answer;
}

// Cases on their way: read on the caller's thread, judged on the resolver's, answered in order.
class Batch {
 public:
  Batch(Session& session, CheckResolver& names, const JudgeCase& judge)
      : session_(session), names_(names), judge_(judge) {}

  int run() {
    std::istream& input = session_.host().input();
    while (auto line = next_line(input)) {
      if (*line && trim(**line).empty()) continue;
      if (!begin(std::move(*line))) break;
    }
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return answers_.empty(); });
    if (input.bad()) {
      return unreadable(session_, session_.words({"standard input could not be read",
                                                  "標準入力を読み込めませんでした"}));
    }
    if (all_read_) return 0;
    return kUnreadable;
  }

 private:
  // False if nobody takes the answers any more.
  bool begin(Result<std::string> line) {
    std::size_t number = 0;
    {
      std::unique_lock lock(mutex_);
      changed_.wait(lock, [this] { return answers_.size() < kCasesMax; });
      if (!session_.out()) return false;
      number = first_ + answers_.size();
      answers_.emplace_back();
    }
    boost::asio::co_spawn(
        names_.executor(), answer_case(std::move(line), judge_, names_.resolver()),
        [this, number](const std::exception_ptr& thrown, const CaseAnswer& answer) {
          if (thrown) async::report_exception("check", thrown);
          take(number, thrown ? unread_case(nullptr, "the check broke off") : answer);
        });
    return true;
  }

  void take(std::size_t number, const CaseAnswer& answer) {
    // Notified within: when the last answer has been seen, this object is gone.
    const std::lock_guard lock(mutex_);
    all_read_ = all_read_ && answer.was_read;
    answers_[number - first_] = printable_json(boost::json::serialize(answer.members));
    while (!answers_.empty() && answers_.front()) {
      session_.out() << *answers_.front() << '\n' << std::flush;
      answers_.pop_front();
      ++first_;
    }
    changed_.notify_all();
  }

  Session& session_;
  CheckResolver& names_;
  const JudgeCase& judge_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<std::optional<std::string>> answers_;  // of the cases from number first_ on
  std::size_t first_ = 0;
  bool all_read_ = true;
};

std::unique_ptr<CheckResolver> resolver_of(Session& session, const CheckOptions& options) {
  auto made = session.host().check_resolver(options.resolver);
  if (made) return std::move(*made);
  (void)unreadable(session, made.error().detail);
  return nullptr;
}

Result<std::string> with_line_ends(Result<std::string> text) {
  if (!text) return text;
  std::string mail;
  mail.reserve(text->size());
  std::string_view rest = *text;
  while (!rest.empty()) {
    const std::size_t at = rest.find('\n');
    if (at == std::string_view::npos) break;
    mail += rest.substr(0, at);
    if (!mail.ends_with('\r')) mail += '\r';
    mail += '\n';
    rest.remove_prefix(at + 1);
  }
  mail += rest;
  return mail;
}

}  // namespace

void add_check_options(const WordBook& book, CLI::App* command, CheckOptions& options) {
  command->add_flag(
      "--batch", options.batch,
      book.say({"A case a line of JSON on standard input, its answer a line on standard output",
                "標準入力から 1 行 1 件の JSON を読み、結果を 1 行ずつ標準出力に書く"}));
  command
      ->add_option("--resolver", options.resolver,
                   book.say({"The name server to ask, HOST:PORT, instead of the system's",
                             "システムのものの代わりに問い合わせる DNS サーバー（HOST:PORT）"}))
      ->type_name("SERVER");
}

int check_batch(Session& session, const CheckOptions& options, const JudgeCase& judge) {
  const auto names = resolver_of(session, options);
  if (names == nullptr) return kUnreadable;
  return Batch(session, *names, judge).run();
}

int check_once(Session& session, const CheckOptions& options,
               const std::function<Task<int>(dns::Resolver& resolver)>& check) {
  const auto names = resolver_of(session, options);
  if (names == nullptr) return kUnreadable;
  return async::run_blocking(names->executor(), check(names->resolver()));
}

int unreadable(Session& session, std::string_view sentence) {
  (void)session.fail(sentence);
  return kUnreadable;
}

std::string in_language_of(const Session& session, const std::string& reason) {
  return session.language() == Language::japanese ? doctor::reason_in_japanese(reason) : reason;
}

Result<std::string> case_text(const boost::json::object& given, std::string_view name) {
  const boost::json::value* const found = given.if_contains(name);
  if (found == nullptr || found->is_null()) return std::string();
  if (!found->is_string()) {
    return fail(ErrorKind::invalid_input, fmt::format("\"{}\" is not text", name));
  }
  if (found->get_string().size() > kCaseTextOctetsMax) {
    return fail(ErrorKind::invalid_input,
                fmt::format("\"{}\" has {} bytes, but at most {} are taken", name,
                            found->get_string().size(), kCaseTextOctetsMax));
  }
  return std::string(found->get_string());
}

Result<std::string> needed_case_text(const boost::json::object& given, std::string_view name) {
  if (!given.contains(name)) {
    return fail(ErrorKind::invalid_input, fmt::format("\"{}\" is missing", name));
  }
  return case_text(given, name);
}

Result<std::string> read_mail(const std::string& path) {
  // Whoever reads many waits for none: nobody may be writing into a pipe.
  std::error_code error;
  if (std::filesystem::exists(path, error) && !std::filesystem::is_regular_file(path, error)) {
    return fail(ErrorKind::invalid_input, fmt::format("{}: is no regular file", path));
  }
  return with_line_ends(read_file(path, kMailOctetsMax));
}

Result<std::string> read_mail(const std::string& path, std::istream& input) {
  return with_line_ends(read_octets(path, input, kMailOctetsMax));
}

}  // namespace todoku::cli
