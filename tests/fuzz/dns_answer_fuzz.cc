// SPDX-License-Identifier: Apache-2.0
// Answers of hostile name servers: the data of every record type we read, and the routes that such
// records make. A name that was read must be harmless text, and a route must keep its promises.
//
// The input is a list of records: type, length (one octet each), data.
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/check.h"
#include "base/random.h"
#include "dns/mail_route.h"
#include "dns/rdata.h"

namespace todoku::dns {
namespace {

struct Answers {
  Answer<MxRecord> mx;
  Answer<net::IpAddress> ipv4;
  Answer<net::IpAddress> ipv6;
};

void check_name(const std::string& name) {
  for (const char c : name) check(c > 0x20 && c < 0x7F, "a name has printable characters only");
  check(name.size() <= 4 * 255, "a name is bounded");
}

void read_record(std::uint8_t type, Rdata rdata, Answers& answers) {
  if (const auto mx = parse_mx(rdata); type % 4 == 0 && mx) {
    check_name(mx->host);
    answers.mx.records.push_back(*mx);
  }
  if (const auto address = parse_a(rdata)) answers.ipv4.records.push_back(*address);
  if (const auto address = parse_aaaa(rdata)) answers.ipv6.records.push_back(*address);
  if (const auto name = parse_ptr(rdata)) check_name(*name);
  if (const auto text = parse_txt(rdata)) {
    check(text->size() < rdata.size(), "a text is shorter than its record");
  }
  if (const auto tlsa = parse_tlsa(rdata)) {
    check(tlsa->data.size() + 3 == rdata.size(), "a TLSA record is read whole");
  }
}

// A repeatable answer for one host, errors among them.
HostAnswers answers_for(const Answers& answers, Random& random) {
  constexpr ErrorKind kKinds[] = {ErrorKind::not_found, ErrorKind::unavailable, ErrorKind::timeout,
                                  ErrorKind::corrupt};
  const auto pick = [&](const Answer<net::IpAddress>& answer) -> AddressAnswer {
    if (random.below(3) == 0) return fail(kKinds[random.below(4)], "fails");
    return answer;
  };
  return {.ipv4 = pick(answers.ipv4), .ipv6 = pick(answers.ipv6)};
}

void check_route(const MailRoute& route, const RouteOptions& options, Random& random) {
  check(!route.hosts.empty() && !route.site.empty(), "a route has a host and a site");
  check(route.site.size() <= 253, "a site's name is bounded");
  std::size_t addresses = 0;
  for (std::size_t i = 0; i < route.hosts.size(); ++i) {
    const MailHost& host = route.hosts[i];
    check(!host.addresses.empty(), "a host of a route has an address");
    check(i == 0 || route.hosts[i - 1].preference <= host.preference, "hosts are in order");
    check(!options.own_names.contains(host.name), "we are not our own receiver");
    for (const net::IpAddress& address : host.addresses) {
      check(address.is_global() || options.allow_private_receivers, "our inside is not reached");
      check(!address.is_unspecified(), "0.0.0.0 is nobody");
    }
    addresses += host.addresses.size();
  }
  check(candidates(route, {}, random).size() == addresses, "every address is a candidate");
}

void run(std::span<const std::uint8_t> input) {
  SeededRandom random(input.size() < 2 ? 0 : input[0] * 256U + input[1]);
  Answers answers;
  while (input.size() >= 2) {
    const std::uint8_t type = input[0];
    const std::size_t length = std::min<std::size_t>(input[1], input.size() - 2);
    read_record(type, input.subspan(2, length), answers);
    input = input.subspan(2 + length);
  }
  const RouteOptions options{.allow_private_receivers = random.below(2) == 0,
                             .own_names = {"us.example.com"}};
  auto plan = plan_route("example.jp", answers.mx, options);
  if (!plan) return;
  std::vector<HostAnswers> hosts;
  for (std::size_t i = 0; i < plan->hosts.size(); ++i)
    hosts.push_back(answers_for(answers, random));
  const auto route = settle_route("example.jp", std::move(*plan), hosts, options);
  if (route) {
    check_route(*route, options, random);
  } else {
    check(!route.error().reason.empty(), "a verdict has a reason");
    check(route.error().permanent == (route.error().status.klass == 5), "the class says it too");
  }
}

}  // namespace
}  // namespace todoku::dns

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  todoku::dns::run({data, size});
  return 0;
}
