// SPDX-License-Identifier: Apache-2.0
#include "dns/fact_gathering.h"

#include <algorithm>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include <boost/asio/this_coro.hpp>

#include "dns/questions.h"

namespace todoku::dns {
namespace {

using mailauth::DnsFact;
using mailauth::DnsQuestion;
using mailauth::FactType;

constexpr std::string_view kInAddrArpa = ".in-addr.arpa";
constexpr std::string_view kIp6Arpa = ".ip6.arpa";

std::string octets_of(const net::IpAddress& address) {
  const auto octets = address.octets();
  return {octets.begin(), octets.end()};
}

std::vector<std::string> values_of(std::vector<net::IpAddress> records) {
  std::vector<std::string> values;
  std::ranges::transform(records, std::back_inserter(values), octets_of);
  return values;
}

std::vector<std::string> values_of(std::vector<MxRecord> records) {
  std::ranges::sort(records);
  std::vector<std::string> values;
  for (MxRecord& record : records) values.push_back(std::move(record.host));
  return values;
}

std::vector<std::string> values_of(std::vector<std::string> records) {
  return records;
}

template <class Record>
Result<DnsFact> as_fact(Result<Answer<Record>> answer) {
  DnsFact fact;
  if (answer) {
    fact.values = values_of(std::move(answer->records));
    fact.status = fact.values.empty() ? DnsFact::Status::empty : DnsFact::Status::found;
  } else if (answer.error().kind == ErrorKind::not_found ||
             answer.error().kind == ErrorKind::invalid_input) {
    // What cannot be a name of the DNS does not exist there.
    fact.status = DnsFact::Status::absent;
  } else {
    fact.status = DnsFact::Status::failed;
    fact.reason = std::move(answer.error().detail);
  }
  return fact;
}

// From "4.2.0.192.in-addr.arpa" or its like in ip6.arpa (mailauth::reverse_name).
Result<net::IpAddress> address_of(std::string_view reverse) {
  const bool is_v6 = reverse.ends_with(".ip6.arpa");
  reverse.remove_suffix(std::min(reverse.size(), is_v6 ? kIp6Arpa.size() : kInAddrArpa.size()));
  std::string text;
  std::size_t labels = 0;
  for (std::size_t end = reverse.size(); end > 0 && labels < 32; ++labels) {
    const std::size_t dot = reverse.rfind('.', end - 1);
    const std::size_t begin = dot == std::string_view::npos ? 0 : dot + 1;
    if (labels > 0 && (!is_v6 || labels % 4 == 0)) text += is_v6 ? ':' : '.';
    text += reverse.substr(begin, end - begin);
    end = begin == 0 ? 0 : dot;
  }
  return net::IpAddress::parse(text);
}

Task<Result<DnsFact>> answer_to(Resolver& resolver, DnsQuestion question) {
  switch (question.type) {
    case FactType::a:
      co_return as_fact(co_await resolver.a(std::move(question.name)));
    case FactType::aaaa:
      co_return as_fact(co_await resolver.aaaa(std::move(question.name)));
    case FactType::mx:
      co_return as_fact(co_await resolver.mx(std::move(question.name)));
    case FactType::txt:
      co_return as_fact(co_await resolver.txt(std::move(question.name)));
    case FactType::ptr:
      break;
  }
  auto address = address_of(question.name);
  if (!address) co_return fail(std::move(address.error()));
  co_return as_fact(co_await resolver.ptr(*address));
}

}  // namespace

Task<std::vector<DnsFact>> answers_to(Resolver& resolver, std::vector<DnsQuestion> questions,
                                      SteadyInstant end) {
  using Answers = std::vector<Result<DnsFact>>;
  const async::Executor executor = co_await boost::asio::this_coro::executor;
  auto asked = std::make_shared<Questions<Answers>>(executor);
  asked->answers.assign(questions.size(), fail(ErrorKind::timeout, "no answer in time"));
  for (std::size_t i = 0; i < questions.size(); ++i) {
    ask(executor, asked, answer_to(resolver, std::move(questions[i])), &asked->answers[i]);
  }
  while (asked->open > 0) {
    const bool all = co_await asked->answered.wait_until(end);
    if (!all && async::TimerClock::now() >= end) break;
  }
  std::vector<DnsFact> facts;
  for (Result<DnsFact>& answer : asked->answers) {
    if (answer) {
      facts.push_back(std::move(*answer));
    } else {
      facts.push_back({.status = DnsFact::Status::failed,
                       .values = {},
                       .reason = std::move(answer.error().detail)});
    }
  }
  co_return facts;
}

}  // namespace todoku::dns
