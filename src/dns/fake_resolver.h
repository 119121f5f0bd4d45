// SPDX-License-Identifier: Apache-2.0
// A zone in memory, written as a literal in a test or a simulation. Answers at once.
//
//   FakeResolver resolver({
//       .mx = {{"example.jp", {{10, "mx.example.jp"}}}},
//       .a = {{"mx.example.jp", {"192.0.2.1"}}},
//       .failures = {{"MX broken.example", ErrorKind::unavailable}},
//   });
#pragma once

#include <chrono>
#include <map>
#include <mutex>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "dns/resolver.h"

namespace todoku::dns {

// Thread-safe. A name without records of the asked type exists if it has others, or if a name
// below it has; else it is not_found.
class FakeResolver final : public Resolver {
 public:
  struct Zone {
    std::map<std::string, std::vector<MxRecord>> mx;
    std::map<std::string, std::vector<std::string>> a;     // dotted quads
    std::map<std::string, std::vector<std::string>> aaaa;  // RFC 4291 text
    std::map<std::string, std::vector<std::string>> txt;
    std::map<std::string, std::vector<std::string>> ptr;  // by address in text
    std::map<std::string, std::vector<TlsaRecord>> tlsa;
    std::map<std::string, std::string> cname;
    // "TYPE name" of questions that fail, e.g. {"MX example.jp", ErrorKind::timeout}.
    std::map<std::string, ErrorKind> failures;
    std::set<std::string> secure;  // names whose answers count as validated
    std::map<std::string, std::chrono::seconds> ttl;
    std::chrono::seconds default_ttl{300};
  };

  FakeResolver() = default;
  explicit FakeResolver(Zone zone) : zone_(std::move(zone)) {}

  Task<Result<Answer<MxRecord>>> mx(std::string name) override;
  Task<Result<Answer<net::IpAddress>>> a(std::string name) override;
  Task<Result<Answer<net::IpAddress>>> aaaa(std::string name) override;
  Task<Result<Answer<std::string>>> txt(std::string name) override;
  Task<Result<Answer<std::string>>> ptr(net::IpAddress address) override;
  Task<Result<Answer<TlsaRecord>>> tlsa(std::string name) override;
  Task<Result<Answer<std::string>>> cname(std::string name) override;

  void set_zone(Zone zone);
  // How often "TYPE name" was asked.
  [[nodiscard]] int asked(std::string_view question) const;

 private:
  template <class Written, class Record>
  Result<Answer<Record>> look_up(std::string_view type, std::string name,
                                 const std::map<std::string, std::vector<Written>>& records,
                                 Record (*read)(const Written&));
  [[nodiscard]] bool exists(const std::string& name) const;

  mutable std::mutex mutex_;
  Zone zone_;
  std::map<std::string, int, std::less<>> asked_;
};

}  // namespace todoku::dns
