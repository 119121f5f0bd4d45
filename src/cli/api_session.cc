// SPDX-License-Identifier: Apache-2.0
#include "cli/api_session.h"

#include <algorithm>
#include <iterator>
#include <optional>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <fmt/format.h>

#include "base/bytes.h"
#include "base/digest.h"
#include "base/printable.h"
#include "cli/api_client.h"
#include "cli/api_repeats.h"
#include "cli/doubt.h"
#include "cli/printable_stream.h"
#include "cli/profile.h"
#include "cli/user_files.h"
#include "http/query.h"

namespace todoku::cli {
namespace {

using std::chrono::seconds;

constexpr std::size_t kSentencesMax = 200;
constexpr std::size_t kPathDepthMax = 32;
constexpr http::JsonLimits kApiAnswerLimits{.octets_max = std::size_t{256} << 20U, .depth_max = 64};

// RFC 9110 section 9.2.2, and PATCH, whose orders to a delivery may all be repeated (docs/api.md).
bool may_be_repeated(const ApiRequest& request) {
  return request.method != "POST" || !request.idempotency_key.empty();
}

// A server that fails may have done it before, and one that is busy with it may still do it.
bool may_be_done(const ApiAnswer& answer) {
  return answer.status >= 500 || (answer.status == 409 && waits(answer));
}

// Says of the earlier tries, too, that they came to nothing: had one, this would be its answer.
bool settles(const ApiAnswer& answer, const ApiRequest& request) {
  return answer.ok() || (!request.idempotency_key.empty() && answer.status < 500 && !waits(answer));
}

// Whether a member is what the API has under that name, so far as the commands read it: a number
// (docs/api.md, ids are positive), a list.
bool is_as_named(const boost::json::value& answer, std::string_view name) {
  if (name.ends_with("_id")) return number_of(answer, name) > 0;
  const boost::json::value* const found = answer.get_object().if_contains(name);
  return found != nullptr && (name != "data" || found->is_array());
}

// See ApiRequest::answered_with.
bool is_ours(const ApiRequest& request, const ReadAnswer& read) {
  if (request.answered_in_csv) {
    return read.answer.headers.get("Content-Type").starts_with("text/csv");
  }
  if (request.answered_in_zip) {
    return read.answer.headers.get("Content-Type").starts_with("application/zip");
  }
  if (request.answered_in_message) {
    return read.answer.headers.get("Content-Type").starts_with("message/rfc822");
  }
  const boost::json::object* const object = read.value.if_object();
  return object != nullptr &&
         (request.answered_with.empty() || is_as_named(read.value, request.answered_with));
}

int status_of(const ApiAnswer& answer) {
  if (answer.ok()) return kDone;
  if (answer.status == 401 || answer.status == 403) return kNoAccess;
  if (answer.status == 404) return kNotFound;
  return answer.status >= 500 || waits(answer) ? kTemporary : kRefused;
}

void gather(const boost::json::value& value, const std::string& path, std::size_t depth,
            std::vector<std::string>& out) {
  if (out.size() >= kSentencesMax || depth > kPathDepthMax) return;
  if (const auto* object = value.if_object()) {
    for (const auto& [name, inner] : *object) {
      const std::string below = path.empty() ? std::string(name) : path + "." + std::string(name);
      gather(inner, below, depth + 1, out);
    }
  } else if (const auto* list = value.if_array()) {
    for (const auto& inner : *list) gather(inner, path, depth + 1, out);
  } else if (const auto* text = value.if_string()) {
    // A line each: they repeat what was given.
    out.push_back(printable(path == "main" || path.empty() ? std::string(*text)
                                                           : path + ": " + std::string(*text)));
  }
}

std::string first_of(const std::string& given, const std::string& otherwise) {
  return given.empty() ? otherwise : given;
}

// `named`: that one must be there.
Result<Profile> chosen_profile(Session& session, std::string& name) {
  const std::string wanted =
      first_of(session.common().connection.profile, session.host().variable("TODOKU_PROFILE"));
  name = first_of(wanted, std::string(kDefaultProfile));
  const std::string path = session.host().profile_file();
  auto profiles =
      path.empty() ? Result<Profiles>(Profiles()) : read_profiles(path, session.language());
  if (!profiles) return fail(std::move(profiles.error()));
  const auto found = profiles->find(name);
  if (found != profiles->end()) return found->second;
  if (wanted.empty()) return Profile();
  return fail(ErrorKind::invalid_input,
              session.words({"there is no profile {}: todoku profile set {}",
                             "プロファイル {} はありません: todoku profile set {}"},
                            name, name));
}

}  // namespace

Result<ApiAddress> choose_address(Session& session, const std::string& account) {
  const ConnectionWish& wish = session.common().connection;
  Host& host = session.host();
  std::string name;
  auto profile = chosen_profile(session, name);
  if (!profile) return fail(std::move(profile.error()));
  const std::string asked = first_of(wish.url, host.variable("TODOKU_URL"));
  const std::string place = first_of(asked, profile->url);
  auto url = api_url(place.empty() ? host.local_api(session.common().config) : place);
  if (!url) return fail(std::move(url.error()));
  ApiAddress address{.url = std::move(*url),
                     .account = account,
                     .key = host.variable("TODOKU_API_KEY"),
                     .ca_file = first_of(wish.ca_file, profile->ca),
                     .language = session.language()};
  for (const std::string& next :
       {wish.account, host.variable("TODOKU_ACCOUNT"), profile->account}) {
    if (address.account.empty()) address.account = next;
  }
  if (!wish.key_file.empty()) {
    const auto key = read_secret(wish.key_file, session);
    if (!key) return fail(key.error());
    address.key = std::string(trim(*key));
  }
  // A profile's key is for its own API and account: elsewhere it would be given away.
  const auto its_url =
      profile->url.empty() ? Result<std::string>(address.url) : api_url(profile->url);
  if (address.key.empty() && its_url && *its_url == address.url &&
      (profile->account.empty() || profile->account == address.account)) {
    address.key = profile->key;
  }
  if (address.account.empty()) {
    return fail(
        ErrorKind::invalid_input,
        session.words({"whose account is it? --account NAME, TODOKU_ACCOUNT, or todoku "
                       "profile set",
                       "アカウントを指定してください: --account NAME、TODOKU_ACCOUNT、または "
                       "todoku profile set"}));
  }
  if (address.key.empty()) {
    return fail(ErrorKind::invalid_input,
                session.words({"there is no API key of account {} for {}: --key-file FILE, "
                               "TODOKU_API_KEY, or todoku profile set",
                               "アカウント {} の {} 用の API キーがありません: --key-file FILE、"
                               "TODOKU_API_KEY、または todoku profile set"},
                              address.account, address.url));
  }
  return address;
}

std::vector<std::string> error_sentences(const boost::json::value& answer) {
  std::vector<std::string> out;
  if (const auto* object = answer.if_object()) {
    if (const auto* errors = object->if_contains("error_messages")) gather(*errors, "", 0, out);
    if (const auto* error = object->if_contains("error"); out.empty() && error != nullptr) {
      gather(*error, "", 0, out);
    }
  }
  return out;
}

std::string fresh_key() {
  return "cli-" + to_hex(random_octets(16));
}

TargetWriter& TargetWriter::with(std::string_view name, std::string_view value) {
  if (value.empty()) return *this;
  target_ += fmt::format("{}{}={}", mark_, http::percent_encode(name), http::percent_encode(value));
  mark_ = '&';
  return *this;
}
TargetWriter& TargetWriter::with(std::string_view name, const std::optional<std::int64_t>& value) {
  return value ? with(name, std::string_view(fmt::format("{}", *value))) : *this;
}
TargetWriter& TargetWriter::with(std::string_view name, const std::vector<std::string>& values) {
  for (const std::string& value : values) with(name, std::string_view(value));
  return *this;
}

std::expected<void, ApiFailure> ApiSession::open() {
  if (port_) return {};
  const auto address = choose_address(session_, account_);
  if (!address) return std::unexpected(ApiFailure{kWrongWords, {address.error().detail}});
  url_ = address->url;
  if (!is_private_url(url_)) {
    session_.err() << session_.words(
                          {"todoku: WARNING: {} is not encrypted: whoever is on the way can read "
                           "the key and the mail",
                           "todoku: 警告: {} は暗号化されていません。経路上の第三者にキーと"
                           "メールを読まれるおそれがあります"},
                          url_)
                   << '\n';
  }
  port_ = host().api(*address);
  return {};
}

bool ApiSession::wait(std::chrono::milliseconds time) {
  if (host().wait(time)) return true;
  status_ = kInterrupted;
  return false;
}

Result<ApiAnswer> ApiSession::repeated(const ApiRequest& request) {
  for (int repeats = 0;; ++repeats) {
    auto answer = port_->call(request);
    const bool now = answer ? may_be_done(*answer) : cli::may_be_done(answer.error().kind);
    in_doubt_ = now || (in_doubt_ && !(answer && settles(*answer, request)));
    const bool again = answer
                           ? waits(*answer) && (answer->status != 503 || may_be_repeated(request))
                           : is_passing(answer.error().kind) && may_be_repeated(request);
    if (!again || repeats == kRepeatsMax) return answer;
    const seconds pause = answer ? retry_after(*answer).value_or(seconds(1)) : seconds(1);
    if (pause > kPatience) return answer;
    if (!wait(pause)) return answer;
  }
}

std::expected<std::unique_ptr<ReadAnswer>, ApiFailure> ApiSession::exchange(
    const ApiRequest& request) {
  const auto failed = [&](ApiFailure failure) {
    if (status_ != kInterrupted) status_ = failure.status;
    return std::unexpected(std::move(failure));
  };
  in_doubt_ = false;
  if (auto opened = open(); !opened) return failed(std::move(opened.error()));
  auto answer = repeated(request);
  in_doubt_ = in_doubt_ && !changes_nothing(request.method);
  if (!answer) return failed(failure_of(answer.error()));
  auto read = read_answer(std::move(*answer));
  if (!read->answer.ok()) return failed(refusal(*read));
  if (!is_ours(request, *read)) {
    in_doubt_ = !changes_nothing(request.method);
    return failed(is_not_ours(read->answer.status));
  }
  if (const auto warning = read->answer.headers.get("X-Todoku-Warning"); !warning.empty()) {
    session_.err() << "todoku: " << warning << '\n';
  }
  return read;
}

std::unique_ptr<ReadAnswer> ApiSession::read_answer(ApiAnswer answer) {
  auto read = std::make_unique<ReadAnswer>();
  read->answer = std::move(answer);
  auto parsed = http::parse_json(read->answer.body, read->arena, kApiAnswerLimits);
  if (parsed) read->value = std::move(*parsed);
  return read;
}

ApiFailure ApiSession::failure_of(const Error& error) const {
  const bool passing = error.kind == ErrorKind::timeout || error.kind == ErrorKind::closed;
  return {passing ? kTemporary : kUnreachable, {url_ + ": " + error.detail}};
}

ApiFailure ApiSession::is_not_ours(int status) const {
  return {kTemporary,
          {session_.words({"{} answered with status {}, but not as todoku's API does: is "
                           "it the right URL?",
                           "{} はステータス {} で応答しましたが、todoku の API の応答ではあ"
                           "りません。URL を確認してください"},
                          url_, status)}};
}

ApiFailure ApiSession::refusal(const ReadAnswer& read) const {
  ApiFailure failure{status_of(read.answer), error_sentences(read.value)};
  if (failure.sentences.empty()) {
    failure.sentences.push_back(
        session_.words({"{} answered with status {}", "{} がステータス {} で応答しました"}, url_,
                       read.answer.status));
  }
  if (const auto after = retry_after(read.answer); after && after->count() > 0) {
    failure.sentences.push_back(
        session_.words({"try again in {} s", "{} 秒後に再度実行してください"}, after->count()));
  }
  return failure;
}

std::unique_ptr<ReadAnswer> ApiSession::ask(const ApiRequest& request) {
  auto read = exchange(request);
  if (read) return std::move(*read);
  for (const std::string& sentence : read.error().sentences) (void)session_.fail(sentence);
  if (in_doubt_) (void)session_.fail(session_.words(kDoubt));
  return nullptr;
}

int ApiSession::call(const ApiRequest& request, const Show& show) {
  const auto read = ask(request);
  if (read == nullptr) return status_;
  if (json()) {
    print_json(*read);
  } else {
    show(*read);
  }
  return kDone;
}

int ApiSession::fail_with(int status, std::string_view sentence) {
  (void)session_.fail(sentence);
  return status_ = status;
}

void ApiSession::print_json(const ReadAnswer& answer) {
  out() << printable_json(answer.answer.body) << '\n';
}

}  // namespace todoku::cli
