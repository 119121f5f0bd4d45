// SPDX-License-Identifier: Apache-2.0
#include "http/guarded/guarded_client.h"

#include <algorithm>
#include <array>
#include <utility>

#include <boost/asio/this_coro.hpp>
#include <fmt/format.h>

#include "base/bytes.h"
#include "dns/questions.h"
#include "net/network.h"

namespace todoku::http {
namespace {

using AddressAnswer = Result<dns::Answer<net::IpAddress>>;

struct BothFamilies {
  AddressAnswer ipv4;
  AddressAnswer ipv6;
};

ClientOptions client_options(const GuardedOptions& options) {
  return {.ca_file = options.ca_file,
          .user_agent = options.user_agent,
          .proxy = "",
          // Places decide, before libcurl would refuse anything or make it wait.
          .transfers_max = 2 * options.requests_max,
          .connections_per_host_max = options.requests_max,
          .connections_idle_max = 64,
          .http2 = false};
}

// What the client writes itself, or must not be told twice.
bool is_ours(std::string_view name) {
  constexpr std::array<std::string_view, 8> kOurs = {
      "Authorization", "Host",   "Content-Length",  "Transfer-Encoding",
      "Connection",    "Expect", "Accept-Encoding", "Proxy-Authorization"};
  return std::ranges::any_of(
      kOurs, [&](std::string_view ours) { return equals_ignoring_case(name, ours); });
}

Result<void> check_request(const GuardedRequest& request) {
  if (!request.url) return fail(ErrorKind::invalid_input, "the request has no URL");
  if (request.body.size() > GuardedRequest::kBodyOctetsMax) {
    return fail(ErrorKind::invalid_input,
                fmt::format("the request has a body of {} octets, at most {}", request.body.size(),
                            GuardedRequest::kBodyOctetsMax));
  }
  std::size_t octets = 0;
  for (std::size_t i = 0; i < request.headers.size(); ++i) {
    const Headers::Field field = request.headers[i];
    octets += field.name.size() + field.value.size() + 4;
    if (is_ours(field.name)) {
      return fail(ErrorKind::invalid_input,
                  fmt::format("the request may not set the field {}", field.name));
    }
  }
  if (octets > GuardedRequest::kHeaderOctetsMax) {
    return fail(ErrorKind::invalid_input,
                fmt::format("the request has {} octets of header fields, at most {}", octets,
                            GuardedRequest::kHeaderOctetsMax));
  }
  return {};
}

std::unexpected<Error> busy() {
  return fail(
      ErrorKind::limit_exceeded,
      "not sent: as many calls as may be at a time are under way already, to this host, to its "
      "address, for this account or in all");
}

// Of IPv6 a single machine has as many addresses as it likes.
std::string destination_of(const net::IpAddress& address) {
  return net::Network(address, address.is_v6() ? 64 : 32).to_string();
}

}  // namespace

struct GuardedClient::Exchange {
  GuardedRequest request;
  SteadyInstant deadline;
  bool never_connected = false;  // at the last address
  bool cut = false;
  std::optional<net::Endpoint> peer;
};

GuardedClient::GuardedClient(GuardedOptions options, dns::Resolver& resolver, const Clock& clock)
    : options_(std::move(options)),
      resolver_(resolver),
      clock_(clock),
      all_(options_.requests_max),
      hosts_(options_.per_host_max),
      addresses_(options_.per_address_max),
      client_(client_options(options_)) {}

Task<GuardedAnswer> GuardedClient::send(GuardedRequest request) {
  const SteadyInstant begun = clock_.steady_now();
  Exchange now{.request = std::move(request), .deadline = begun};
  now.deadline += now.request.timeout;
  GuardedAnswer answer;
  if (auto sound = check_request(now.request); !sound) {
    answer.response = fail(std::move(sound.error()));
  } else {
    answer.response = co_await exchange(now);
  }
  answer.cut = now.cut;
  answer.peer = now.peer;
  answer.took = std::chrono::floor<Milliseconds>(clock_.steady_now() - begun);
  co_return answer;
}

Task<Result<ClientResponse>> GuardedClient::exchange(Exchange& now) {
  const auto any = all_.take("", now.request.party, now.request.standing);
  if (!any) co_return busy();
  const auto place = hosts_.take(now.request.url->host(), now.request.party, now.request.standing);
  if (!place) co_return busy();
  const auto addresses = co_await addresses_of(now);
  if (!addresses) co_return fail(addresses.error());
  Result<ClientResponse> response = fail(ErrorKind::unavailable, "no address was tried");
  for (const net::IpAddress& address : *addresses) {
    response = co_await ask_at(now, address);
    // Where the request may have gone out, another address would make two requests of it.
    if (response || !now.never_connected) break;
  }
  co_return response;
}

Task<Result<std::vector<net::IpAddress>>> GuardedClient::addresses_of(const Exchange& now) {
  const TargetUrl& url = *now.request.url;
  if (const auto& literal = url.address(); literal) {
    const auto allowed = options_.rule.judge({*literal, url.port()});
    if (!allowed) co_return fail(allowed.error());
    co_return std::vector{*literal};
  }
  const async::Executor executor = co_await boost::asio::this_coro::executor;
  const auto questions = std::make_shared<dns::Questions<BothFamilies>>(executor);
  dns::ask(executor, questions, resolver_.a(url.host()), &questions->answers.ipv4);
  dns::ask(executor, questions, resolver_.aaaa(url.host()), &questions->answers.ipv6);
  while (questions->open > 0) {
    const bool answered = co_await questions->answered.wait_until(now.deadline);
    if (!answered) co_return fail(ErrorKind::timeout, "the DNS did not answer in time");
  }
  auto chosen =
      choose_addresses(questions->answers.ipv4, questions->answers.ipv6, url.port(), options_.rule);
  if (!chosen && chosen.error().kind == ErrorKind::limit_exceeded) {
    co_return fail(ErrorKind::unavailable, std::move(chosen.error().detail));  // of the resolver
  }
  co_return chosen;
}

Task<Result<ClientResponse>> GuardedClient::ask_at(Exchange& now, net::IpAddress address) {
  now.never_connected = false;
  const auto place =
      addresses_.take(destination_of(address), now.request.party, now.request.standing);
  if (!place) co_return busy();
  const auto left = std::chrono::floor<Milliseconds>(now.deadline - clock_.steady_now());
  if (left <= Milliseconds(0)) co_return fail(ErrorKind::timeout, "the time is over");
  const GuardedRequest& wanted = now.request;
  const auto facts = std::make_shared<TransferFacts>();
  ClientRequest request{.method = wanted.method,
                        .url = wanted.url->wire(),
                        .headers = wanted.headers,
                        .body = wanted.body,
                        .connect_to = net::Endpoint{address, wanted.url->port()},
                        .connect_timeout = std::min(wanted.connect_timeout, left),
                        .timeout = left,
                        .response_max = wanted.answer_max,
                        .ends_at_response_max = true,
                        .response_kept = wanted.answer_kept,
                        .facts = facts};
  if (const std::string_view value = wanted.url->authorization(); !value.empty()) {
    request.headers.add("Authorization", value);
  }
  // The address is judged already, and nothing else is connected to. This holds should that ever
  // not be so.
  request.may_connect = [rule = &options_.rule](const net::Endpoint& to) {
    return rule->judge(to).has_value();
  };
  auto response = co_await client_.fetch(std::move(request));
  now.never_connected = !response && facts->never_connected;
  now.cut = facts->cut;
  now.peer = facts->peer;
  co_return response;
}

Result<std::vector<net::IpAddress>> choose_addresses(const AddressAnswer& ipv4,
                                                     const AddressAnswer& ipv6, std::uint16_t port,
                                                     const net::OutboundRule& rule) {
  constexpr std::size_t kLookedAtMax = 64;
  const std::vector<net::IpAddress> none;
  const auto& v4 = ipv4 ? ipv4->records : none;
  const auto& v6 = ipv6 ? ipv6->records : none;
  std::vector<net::IpAddress> chosen;
  std::optional<Error> refused;
  const auto look_at = [&](const std::vector<net::IpAddress>& addresses, std::size_t at) {
    if (at >= addresses.size() || chosen.size() == kAddressesTriedMax) return;
    if (const auto allowed = rule.judge({addresses[at], port}); allowed) {
      chosen.push_back(addresses[at]);
    } else {
      refused = allowed.error();
    }
  };
  for (std::size_t i = 0; i < std::min(kLookedAtMax, std::max(v4.size(), v6.size())); ++i) {
    look_at(v4, i);
    look_at(v6, i);
  }
  if (!chosen.empty()) return chosen;
  if (refused) return fail(std::move(*refused));
  for (const AddressAnswer* answer : {&ipv4, &ipv6}) {
    if (!*answer && answer->error().kind != ErrorKind::not_found) return fail(answer->error());
  }
  return fail(ErrorKind::not_found, "the DNS knows no address of the host");
}

}  // namespace todoku::http
