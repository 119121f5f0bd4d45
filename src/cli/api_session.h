// SPDX-License-Identifier: Apache-2.0
// What the commands of senders share: which API they speak to and as whom, a call that is repeated
// where that does no harm, and what a failure says and ends with (docs/cli.md).
#pragma once

#include <expected>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <boost/json/value.hpp>

#include "cli/api_port.h"
#include "cli/session.h"
#include "http/event_stream_reader.h"
#include "http/json.h"

namespace todoku::cli {

// Exit statuses, as docs/cli.md says them.
inline constexpr int kDone = 0;
inline constexpr int kRefused = 1;        // by the engine, or the mail failed
inline constexpr int kWrongWords = 2;     // or no account, no key, a file that cannot be read
inline constexpr int kUnreachable = 3;    // nobody answers there, or who does proves nothing
inline constexpr int kTemporary = 4;      // 429, 5xx, or no answer, after all repeats
inline constexpr int kNotFound = 5;       // 404
inline constexpr int kNoAccess = 6;       // 401, 403
inline constexpr int kInterrupted = 130;  // by the user

// A query, one parameter after the other; empty values are left out.
class TargetWriter {
 public:
  explicit TargetWriter(std::string path) : target_(std::move(path)) {}
  TargetWriter& with(std::string_view name, std::string_view value);
  TargetWriter& with(std::string_view name, const std::optional<std::int64_t>& value);
  TargetWriter& with(std::string_view name, const std::vector<std::string>& values);
  [[nodiscard]] std::string take() { return std::move(target_); }

 private:
  std::string target_;
  char mark_ = '?';
};

// An answer that was read. `value` lives in `arena` and is null where the body is no JSON.
struct ReadAnswer {
  ApiAnswer answer;
  http::JsonArena arena;
  boost::json::value value;
};

struct ApiFailure {
  int status = kRefused;               // that a command ends with
  std::vector<std::string> sentences;  // for people
};

class ApiSession {
 public:
  using Show = std::function<void(const ReadAnswer&)>;

  // `account`: whose key it is, where the command names one; else as choose_address() says.
  explicit ApiSession(Session& session, std::string account = {})
      : session_(session), account_(std::move(account)) {}

  // Where a follower of events is.
  struct Following {
    std::string last_id;  // of the latest event that was seen; empty: none
    // Called on another thread while follow() waits, with each event, and with each new last_id
    // after its events. False: enough.
    http::EventStreamReader::Take take;
    std::function<bool(const std::string& last_id)> came_to;
    std::function<void()> before_words = {};  // follow() is about to print something; may be empty
  };
  // Follows a stream of server-sent events until the user or `following` wants an end, or it is
  // refused; prints failures. What ends otherwise is asked for again after the latest id: where
  // nothing was heard yet as by exchange(), else for as long as it takes. What a command ends with.
  int follow(const ApiRequest& request, Following following);
  // The answer, if it is a success; prints no failure. status() says what a command ends with. 429
  // and 503 are repeated after Retry-After, five times at most and only if that is a minute or
  // less; so is what got no answer, where a repeat makes nothing twice (RFC 9110 section 9.2.2, or
  // an idempotency key).
  [[nodiscard]] std::expected<std::unique_ptr<ReadAnswer>, ApiFailure> exchange(
      const ApiRequest& request);
  // The same; nullptr after the sentences of a failure were printed, the doubt among them.
  [[nodiscard]] std::unique_ptr<ReadAnswer> ask(const ApiRequest& request);
  // The same, printed: with --json the answer itself, else by `show`.
  int call(const ApiRequest& request, const Show& show);
  [[nodiscard]] int status() const { return status_; }
  // Whether the last request, which failed, may have been done all the same: its answer was lost in
  // one of the tries, or was that of a server that failed.
  [[nodiscard]] bool in_doubt() const { return in_doubt_; }

  // Prints the sentence and gives back `status`.
  int fail_with(int status, std::string_view sentence);
  // The answer's body on a line of standard output.
  void print_json(const ReadAnswer& answer);

  [[nodiscard]] Session& session() { return session_; }
  [[nodiscard]] Host& host() { return session_.host(); }
  [[nodiscard]] bool json() const { return session_.common().json; }
  [[nodiscard]] std::ostream& out() { return session_.out(); }
  // False once the user wants an end.
  bool wait(std::chrono::milliseconds time);

 private:
  [[nodiscard]] std::expected<void, ApiFailure> open();
  [[nodiscard]] Result<ApiAnswer> repeated(const ApiRequest& request);
  int tell(const ApiFailure& failure);
  [[nodiscard]] ApiSession& speak(const Following& following);
  [[nodiscard]] static std::unique_ptr<ReadAnswer> read_answer(ApiAnswer answer);
  [[nodiscard]] ApiFailure failure_of(const Error& error) const;
  [[nodiscard]] ApiFailure is_not_ours(int status) const;
  // Of a stream that has ended: why it is not asked for again; nullopt: it is.
  [[nodiscard]] std::optional<ApiFailure> last_word(Result<ApiAnswer> answer, bool was_heard,
                                                    int tries) const;
  [[nodiscard]] ApiFailure refusal(const ReadAnswer& read) const;

  Session& session_;
  const std::string account_;
  std::unique_ptr<ApiPort> port_;
  std::string url_;
  int status_ = kDone;
  bool in_doubt_ = false;
};

// Which API, as whom: `account` if it is not empty, else --account, TODOKU_ACCOUNT, the profile's.
// A profile's key goes only to its own URL and account. Errors: invalid_input, unauthorized, io; a
// sentence for the user.
[[nodiscard]] Result<ApiAddress> choose_address(Session& session, const std::string& account = {});

// All sentences of {"error_messages": {...}}, each with its path: "to.0.email: is required.".
[[nodiscard]] std::vector<std::string> error_sentences(const boost::json::value& answer);

// Something that no other request has: for the idempotency key of what is made once.
[[nodiscard]] std::string fresh_key();

}  // namespace todoku::cli
