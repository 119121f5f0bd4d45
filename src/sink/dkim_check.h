// SPDX-License-Identifier: Apache-2.0
// Verifying the DKIM signatures of what arrives, with keys from a file or from the DNS.
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "async/task.h"
#include "base/clock.h"
#include "base/result.h"
#include "dns/resolver.h"
#include "mailauth/dkim/key_record.h"

namespace todoku::sink {

// How a message fared; `result` is an index of kDkimWords (report.h).
struct DkimVerdict {
  std::size_t result = 0;
  std::string reason;  // of the first signature, if none passes
};

// All members are thread-safe.
class DkimCheck {
 public:
  // `keys`: TXT texts by name ("s1._domainkey.example.jp"). Names that are not there are asked of
  // `resolver`; nullptr: they do not exist. Answers of the resolver are used for a minute.
  DkimCheck(std::map<std::string, std::vector<std::string>> keys,
            std::shared_ptr<dns::Resolver> resolver);

  // `message` must live until the end.
  [[nodiscard]] Task<DkimVerdict> verify(std::string_view message, Instant now);

 private:
  struct Cached {
    mailauth::dkim::KeyAnswer answer;
    Instant until;
  };
  static constexpr std::size_t kCachedMax = 10'000;

  [[nodiscard]] Task<mailauth::dkim::KeyAnswer> look_up(std::string name, Instant now);
  [[nodiscard]] std::optional<mailauth::dkim::KeyAnswer> known(const std::string& name,
                                                               Instant now);

  std::unordered_map<std::string, mailauth::dkim::KeyAnswer> given_;
  std::shared_ptr<dns::Resolver> resolver_;
  std::mutex mutex_;
  std::unordered_map<std::string, Cached> cache_;
};

// Reads lines "name TXT text" or "name text", the text perhaps in quoted pieces as `todoku dkim
// generate` and zone files have it; "#" and ";" begin comments, a final dot of the name is ignored.
// Errors: not_found, invalid_input with the line.
[[nodiscard]] Result<std::map<std::string, std::vector<std::string>>> read_key_file(
    const std::string& path);
[[nodiscard]] Result<std::map<std::string, std::vector<std::string>>> parse_key_file(
    std::string_view text);

}  // namespace todoku::sink
