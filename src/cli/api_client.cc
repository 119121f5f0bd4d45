// SPDX-License-Identifier: Apache-2.0
#include "cli/api_client.h"

#include <utility>

#include "async/runtime.h"
#include "base/bytes.h"
#include "base/digest.h"
#include "http/client.h"

namespace todoku::cli {
namespace {

constexpr std::chrono::milliseconds kConnectTimeout{10'000};

// blastengine-api.md section 1.2.
std::string authorization(const ApiAddress& address) {
  return "Bearer " + to_base64(sha256_hex(address.account + address.key));
}

class ApiClient final : public ApiPort {
 public:
  explicit ApiClient(const ApiAddress& address)
      : url_(address.url),
        authorization_(authorization(address)),
        language_(address.language == Language::japanese ? "ja" : "en"),
        client_({.ca_file = address.ca_file, .user_agent = "todoku-cli"}) {}

  Result<ApiAnswer> call(const ApiRequest& request) override { return ask(wire_of(request)); }

  Result<ApiAnswer> stream(const ApiRequest& request, const ApiStream& stream) override {
    http::ClientRequest wire = wire_of(request);
    wire.timeout = {};
    wire.silence_max = stream.silence_max;
    wire.headers.add("Accept", kEventStream);
    if (!stream.last_event_id.empty()) wire.headers.add("Last-Event-ID", stream.last_event_id);
    bool is_other = false;
    wire.take = [&](const http::ClientResponse& head, std::string_view piece) {
      is_other = !head.headers.get("Content-Type").starts_with(kEventStream);
      return !is_other && stream.take(piece);
    };
    wire.goes_on = stream.goes_on;
    auto answer = ask(std::move(wire));
    // Also where it had nothing to give.
    is_other = is_other || (answer && answer->ok() &&
                            !answer->headers.get("Content-Type").starts_with(kEventStream));
    if (is_other) return fail(ErrorKind::corrupt, "the answer is no stream of events");
    return answer;
  }

 private:
  static constexpr std::string_view kEventStream = "text/event-stream";

  [[nodiscard]] http::ClientRequest wire_of(const ApiRequest& request) const {
    http::ClientRequest wire;
    wire.method = request.method;
    wire.url = url_ + "/api/v1" + request.target;
    wire.body = request.body;
    wire.connect_timeout = kConnectTimeout;
    wire.timeout = request.timeout;
    wire.response_max = request.answer_max;
    wire.headers.add("Authorization", authorization_);
    wire.headers.add("Accept-Language", language_);
    if (!request.body.empty()) wire.headers.add("Content-Type", request.content_type);
    if (!request.content_encoding.empty()) {
      wire.headers.add("Content-Encoding", request.content_encoding);
    }
    if (!request.idempotency_key.empty()) {
      wire.headers.add("Idempotency-Key", request.idempotency_key);
    }
    return wire;
  }

  Result<ApiAnswer> ask(http::ClientRequest wire) {
    Result<ApiAnswer> answer = fail(ErrorKind::cancelled, "not asked");
    async::run_to_completion(fetch(std::move(wire), answer));
    return answer;
  }

  // `answer` outlives it: ask() waits for its end.
  Task<void> fetch(http::ClientRequest wire,
                   Result<ApiAnswer>& answer) {  // NOLINT(*-reference-coroutine-parameters)
    auto response = co_await client_.fetch(std::move(wire));
    if (response) {
      answer = ApiAnswer{response->status, std::move(response->headers), std::move(response->body)};
    } else {
      answer = fail(std::move(response.error()));
    }
  }

  const std::string url_;
  const std::string authorization_;
  const std::string language_;
  http::Client client_;
};

}  // namespace

Result<std::string> api_url(std::string_view given) {
  std::string_view url = trim(given);
  const auto wrong = [&](std::string_view why) {
    return fail(ErrorKind::invalid_input, std::string(given) + ": " + std::string(why));
  };
  const std::size_t begin = url.starts_with("https://") ? 8 : url.starts_with("http://") ? 7 : 0;
  if (begin == 0) return wrong("a URL begins with https:// or http://");
  if (url.find_first_of("?#") != std::string_view::npos) return wrong("has no query");
  const std::string_view host = url.substr(begin, url.find('/', begin) - begin);
  if (host.empty()) return wrong("names no host");
  if (host.contains('@')) return wrong("has no user and no password");
  const auto without_slashes = [&] {
    while (url.ends_with('/')) url.remove_suffix(1);
  };
  without_slashes();
  constexpr std::string_view kPath = "/api/v1";
  if (url.ends_with(kPath)) url.remove_suffix(kPath.size());
  without_slashes();
  return std::string(url);
}

bool is_private_url(std::string_view url) {
  if (!url.starts_with("http://")) return true;
  const std::string_view rest = url.substr(7);
  const std::string_view place = rest.substr(0, rest.find('/'));
  if (place.starts_with("[::1]")) return true;
  const std::string_view host = place.substr(0, place.find(':'));
  // A name such as 127.example.jp is anybody's.
  return host == "localhost" || (host.starts_with("127.") &&
                                 host.find_first_not_of("0123456789.") == std::string_view::npos);
}

std::unique_ptr<ApiPort> make_api_client(const ApiAddress& address) {
  return std::make_unique<ApiClient>(address);
}

}  // namespace todoku::cli
