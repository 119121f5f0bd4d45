// SPDX-License-Identifier: Apache-2.0
#include "dns/fake_resolver.h"

#include <algorithm>
#include <utility>

#include "base/bytes.h"
#include "base/check.h"

namespace todoku::dns {
namespace {

constexpr int kCnamesMax = 8;

net::IpAddress read_address(const std::string& text) {
  const auto address = net::IpAddress::parse(text);
  check(address.has_value(), "the zone of a fake resolver has valid addresses");
  return *address;
}

template <class T>
T as_written(const T& record) {
  return record;
}

}  // namespace

template <class Written, class Record>
Result<Answer<Record>> FakeResolver::look_up(
    std::string_view type, std::string name,
    const std::map<std::string, std::vector<Written>>& records, Record (*read)(const Written&)) {
  const std::lock_guard lock(mutex_);
  name = to_ascii_lower(name);
  if (name.ends_with('.')) name.pop_back();
  const std::string asked_for = name;
  bool secure = true;
  std::string question = std::string(type) + " " + name;
  ++asked_[question];
  for (int hops = 0;; ++hops) {
    if (const auto failure = zone_.failures.find(question); failure != zone_.failures.end()) {
      return fail(failure->second, question + " fails");
    }
    const auto alias = zone_.cname.find(name);
    if (alias == zone_.cname.end()) break;
    secure = secure && zone_.secure.contains(name);
    if (hops == kCnamesMax) return fail(ErrorKind::unavailable, question + " is a CNAME loop");
    name = alias->second;
    question = std::string(type) + " " + name;
  }
  const auto found = records.find(name);
  if (found == records.end() && !exists(name)) {
    return fail(ErrorKind::not_found, name + " does not exist");
  }
  Answer<Record> answer;
  if (found != records.end())
    std::ranges::transform(found->second, std::back_inserter(answer.records), read);
  const auto ttl = zone_.ttl.find(name);
  answer.ttl = ttl == zone_.ttl.end() ? zone_.default_ttl : ttl->second;
  answer.secure = secure && zone_.secure.contains(name);
  if (name != asked_for) answer.canonical = name;
  return answer;
}

bool FakeResolver::exists(const std::string& name) const {
  const auto among = [&](const auto& records) {
    return std::ranges::any_of(records, [&](const auto& entry) {
      return entry.first == name || entry.first.ends_with("." + name);
    });
  };
  return among(zone_.mx) || among(zone_.a) || among(zone_.aaaa) || among(zone_.txt) ||
         among(zone_.ptr) || among(zone_.tlsa) || among(zone_.cname);
}

Task<Result<Answer<MxRecord>>> FakeResolver::mx(std::string name) {
  co_return look_up("MX", std::move(name), zone_.mx, &as_written<MxRecord>);
}

Task<Result<Answer<net::IpAddress>>> FakeResolver::a(std::string name) {
  co_return look_up("A", std::move(name), zone_.a, &read_address);
}

Task<Result<Answer<net::IpAddress>>> FakeResolver::aaaa(std::string name) {
  co_return look_up("AAAA", std::move(name), zone_.aaaa, &read_address);
}

Task<Result<Answer<std::string>>> FakeResolver::txt(std::string name) {
  co_return look_up("TXT", std::move(name), zone_.txt, &as_written<std::string>);
}

Task<Result<Answer<std::string>>> FakeResolver::ptr(net::IpAddress address) {
  co_return look_up("PTR", address.to_string(), zone_.ptr, &as_written<std::string>);
}

Task<Result<Answer<TlsaRecord>>> FakeResolver::tlsa(std::string name) {
  co_return look_up("TLSA", std::move(name), zone_.tlsa, &as_written<TlsaRecord>);
}

Task<Result<Answer<std::string>>> FakeResolver::cname(std::string name) {
  const std::lock_guard lock(mutex_);
  const std::string question = "CNAME " + name;
  ++asked_[question];
  if (const auto failure = zone_.failures.find(question); failure != zone_.failures.end()) {
    co_return fail(failure->second, question + " fails");
  }
  const auto alias = zone_.cname.find(name);
  if (alias == zone_.cname.end() && !exists(name)) {
    co_return fail(ErrorKind::not_found, name + " does not exist");
  }
  Answer<std::string> answer;
  if (alias != zone_.cname.end()) answer.records.push_back(alias->second);
  answer.ttl = zone_.default_ttl;
  answer.secure = zone_.secure.contains(name);
  co_return answer;
}

void FakeResolver::set_zone(Zone zone) {
  const std::lock_guard lock(mutex_);
  zone_ = std::move(zone);
}

int FakeResolver::asked(std::string_view question) const {
  const std::lock_guard lock(mutex_);
  const auto found = asked_.find(question);
  return found == asked_.end() ? 0 : found->second;
}

}  // namespace todoku::dns
