// SPDX-License-Identifier: Apache-2.0
// What the commands share: one call to the operations, its answer as JSON or as text for people,
// and the way to fail.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <ostream>
#include <string>
#include <string_view>
#include <vector>

#include <boost/json/object.hpp>
#include <boost/json/value.hpp>
#include <fmt/format.h>

#include "cli/host.h"
#include "cli/request.h"

namespace todoku::cli {

// Which API is spoken to, by whom; what is not given comes from the environment or the profile.
struct ConnectionWish {
  std::string url;
  std::string profile;
  std::string account;
  std::string key_file;
  std::string ca_file;
};

// Options that most commands take.
struct Common {
  ConnectionWish connection;
  std::optional<std::string> config;
  std::string language;  // "en", "ja"; empty: what the environment asks for
  bool json = false;
  bool begin_new = false;
};

[[nodiscard]] Language wanted_language(const Host& host, const Common& common);

class Session {
 public:
  Session(Host& host, Common common, std::ostream& out, std::ostream& err)
      : host_(host),
        common_(std::move(common)),
        language_(wanted_language(host, common_)),
        out_(out),
        err_(err) {}

  // Makes the call; on success prints the answer's JSON if that is wanted, else lets `show` print
  // it. Returns the exit status: 1, too, of an answer that is not `good`.
  int call(AdminRequest request, const std::function<void(const boost::json::value&)>& show,
           const std::function<bool(const boost::json::value&)>& good = {});
  int call(const operate::Given& given,
           const std::function<void(const boost::json::value&)>& show) {
    return call(request_of(given), show);
  }

  // Prints nothing of a success: `take` gets the answer.
  int ask_for(const operate::Given& given,
              const std::function<void(const boost::json::value&)>& take);

  // The same for a list that comes in pages: `show` gets the whole of it, {"<name>": [...]}.
  int list(operate::Given given, std::string_view name,
           const std::function<void(const boost::json::value&)>& show);

  int fail(std::string_view sentence);

  // The sentence in that language, with these facts in it.
  template <class... Parts>
  [[nodiscard]] std::string words(const Sentence& sentence, const Parts&... parts) const {
    return fmt::vformat(sentence.in(language_), fmt::make_format_args(parts...));
  }
  // The same on standard output, as a line.
  template <class... Parts>
  void say(const Sentence& sentence, const Parts&... parts) {
    out_ << words(sentence, parts...) << '\n';
  }

  // An installation is spoken to over its REST API: --url or --profile was given.
  [[nodiscard]] bool is_remote() const {
    return !common_.connection.url.empty() || !common_.connection.profile.empty();
  }
  // What the command ends with whose body gave `status`: of a failure of the REST API the one of
  // its kind (docs/cli.md).
  [[nodiscard]] int exit_status(int status) const;

  // For commands that speak to the program rather than to the operations.
  [[nodiscard]] Host& host() { return host_; }
  [[nodiscard]] const Common& common() const { return common_; }
  // In which it speaks to people.
  [[nodiscard]] Language language() const { return language_; }
  [[nodiscard]] std::ostream& out() { return out_; }
  [[nodiscard]] std::ostream& err() { return err_; }

  // Opened by the first call; nullptr after a failure, which has been printed.
  [[nodiscard]] AdminPort* port(bool may_begin = false);
  // The same again, of an installation whose engine has come or gone meanwhile.
  [[nodiscard]] AdminPort* reopened_port() {
    port_.reset();
    return port();
  }

 private:
  struct Answer;
  // nullptr after a failure, which has been printed.
  [[nodiscard]] std::unique_ptr<Answer> ask(AdminRequest request);

  Host& host_;
  const Common common_;
  const Language language_;
  std::ostream& out_;
  std::ostream& err_;
  int remote_status_ = 0;  // of the last call that failed over the REST API
  std::unique_ptr<AdminPort> port_;
};

// Members of an answer, tolerant of what is not there.
[[nodiscard]] std::string text_of(const boost::json::value& object, std::string_view name);
[[nodiscard]] std::int64_t number_of(const boost::json::value& object, std::string_view name);
[[nodiscard]] bool truth_of(const boost::json::value& object, std::string_view name);
// An instant for people: with its zone, Japan's as in the API.
[[nodiscard]] std::string time_of(const boost::json::value& object, std::string_view name);
// Empty if it is not there.
[[nodiscard]] const boost::json::array& list_of(const boost::json::value& object,
                                                std::string_view name);

// The recipients that an account has to go: "at least 12" where there may be more.
[[nodiscard]] std::string recipients_of(const Session& session, const boost::json::value& work);

// How many columns a terminal takes for it: two for a character of Japanese.
[[nodiscard]] std::size_t columns_of(std::string_view text);

// Columns padded to their longest cell; the first row is the heading. Labels and addresses were
// given by others: cells are made printable().
void print_table(std::ostream& out, std::vector<std::vector<std::string>> rows);

}  // namespace todoku::cli
