// SPDX-License-Identifier: Apache-2.0
#include "dns/server_answer.h"

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "base/bilingual.h"
#include "base/bytes.h"
#include "dns/rdata.h"

namespace todoku::dns {
namespace {

using mailauth::DnsQuestion;
using mailauth::FactType;
using mailauth::ServerAnswer;
using Status = ServerAnswer::Status;

constexpr unsigned kNoError = 0;
constexpr unsigned kServfailCode = 2;
constexpr unsigned kNxdomainCode = 3;
constexpr unsigned kRefused = 5;

ServerAnswer without(Status status, BilingualText reason) {
  ServerAnswer answer;
  answer.status = status;
  answer.reason = std::move(reason.en);
  answer.reason_ja = std::move(reason.ja);
  return answer;
}

ServerAnswer not_readable(const std::string& detail) {
  return without(Status::failed, {.en = detail, .ja = unreadable_in_japanese(detail)});
}

std::string octets_of_address(const net::IpAddress& address) {
  const auto octets = address.octets();
  return {octets.begin(), octets.end()};
}

// The strings of a TXT record, which parse_txt() has found whole.
std::vector<std::string> strings_of(Rdata rdata) {
  std::vector<std::string> strings;
  while (!rdata.empty()) {
    const std::size_t length = rdata.front();
    strings.emplace_back(as_text(rdata.subspan(1, length)));
    rdata = rdata.subspan(length + 1);
  }
  return strings;
}

struct Hosts {
  std::vector<MxRecord> all;
};

Result<void> take_value(FactType type, Rdata rdata, ServerAnswer& answer, Hosts& hosts) {
  switch (type) {
    case FactType::a:
    case FactType::aaaa: {
      const auto address = type == FactType::a ? parse_a(rdata) : parse_aaaa(rdata);
      if (!address) return fail(address.error());
      answer.values.push_back(octets_of_address(*address));
      return {};
    }
    case FactType::mx: {
      auto mx = parse_mx(rdata);
      if (!mx) return fail(std::move(mx.error()));
      hosts.all.push_back(std::move(*mx));
      return {};
    }
    case FactType::txt: {
      auto text = parse_txt(rdata);
      if (!text) return fail(std::move(text.error()));
      answer.strings.push_back(strings_of(rdata));
      answer.values.push_back(std::move(*text));
      return {};
    }
    case FactType::ptr: {
      auto name = parse_ptr(rdata);
      if (!name) return fail(std::move(name.error()));
      answer.values.push_back(std::move(*name));
      return {};
    }
  }
  return {};
}

// SERIAL and MINIMUM are the first and the last of the five numbers that end an SOA (RFC 1035
// section 3.3.13).
struct Soa {
  std::uint32_t serial = 0;
  std::uint32_t negative = 0;
};
std::optional<Soa> soa_of(const WireRecord& record) {
  constexpr std::size_t kNumbers = 20;
  if (record.type != kTypeSoa || record.rdata.size() < kNumbers) return std::nullopt;
  const auto number = [&record](std::size_t from_end) {
    std::uint32_t value = 0;
    for (std::size_t i = 0; i < 4; ++i) {
      value = (value << 8U) |
              static_cast<std::uint8_t>(record.rdata[record.rdata.size() - from_end + i]);
    }
    return value;
  };
  return Soa{.serial = number(kNumbers), .negative = std::min(record.ttl, number(4))};
}

// What the message holds as an answer to `question`, of a server that knows.
ServerAnswer told(const WireMessage& message, const DnsQuestion& question) {
  ServerAnswer answer;
  Hosts hosts;
  std::string problem;
  for (const WireRecord& record : message.answer) {
    if (record.owner != question.name) continue;  // where a CNAME leads
    const Rdata rdata = as_octets(record.rdata);
    if (record.type == kTypeCname) {
      auto alias = parse_ptr(rdata);
      if (!alias) return not_readable(alias.error().detail);
      answer.status = Status::alias;
      answer.alias = std::move(*alias);
      answer.ttl = record.ttl;
    } else if (record.type == wire_type_of(question.type)) {
      const auto taken = take_value(question.type, rdata, answer, hosts);
      if (!taken) problem = taken.error().detail;
      answer.ttl = record.ttl;
    }
  }
  std::ranges::sort(hosts.all);
  for (MxRecord& host : hosts.all) answer.values.push_back(std::move(host.host));
  if (answer.status == Status::alias) {
    // Nothing stands beside a CNAME (RFC 1034 section 3.6.2).
    answer.values.clear();
    answer.strings.clear();
    return answer;
  }
  if (!answer.values.empty()) {
    answer.status = Status::found;
  } else if (!problem.empty()) {
    return not_readable(problem);
  } else {
    answer.status = message.rcode == kNxdomainCode ? Status::absent : Status::empty;
  }
  for (const WireRecord& record : message.authority) {
    const auto soa = soa_of(record);
    if (!soa) continue;
    answer.serial = soa->serial;
    answer.negative_ttl = soa->negative;
  }
  return answer;
}

}  // namespace

std::uint16_t wire_type_of(FactType type) {
  switch (type) {
    case FactType::a:
      return static_cast<std::uint16_t>(RecordType::a);
    case FactType::aaaa:
      return static_cast<std::uint16_t>(RecordType::aaaa);
    case FactType::mx:
      return static_cast<std::uint16_t>(RecordType::mx);
    case FactType::txt:
      return static_cast<std::uint16_t>(RecordType::txt);
    case FactType::ptr:
      return static_cast<std::uint16_t>(RecordType::ptr);
  }
  return 0;
}

std::string unreadable_in_japanese(std::string_view detail) {
  return fmt::format("応答を解釈できません（{}）", detail);
}

ServerAnswer server_answer(const WireMessage& message, const DnsQuestion& question) {
  if (message.rcode == kRefused) {
    return without(Status::lame, {"it answers REFUSED", "REFUSED を返します"});
  }
  if (message.rcode == kServfailCode) {
    return without(Status::failed, {"it answers SERVFAIL", "SERVFAIL を返します"});
  }
  if (message.rcode != kNoError && message.rcode != kNxdomainCode) {
    return without(Status::failed, {fmt::format("it answers with the error {}", message.rcode),
                                    fmt::format("エラー {} を返します", message.rcode)});
  }
  if (!message.authoritative) {
    return without(Status::lame, {"it answers without authority for the zone",
                                  "このゾーンの権威サーバーとしての応答ではありません"});
  }
  return told(message, question);
}

}  // namespace todoku::dns
