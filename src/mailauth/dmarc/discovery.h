// SPDX-License-Identifier: Apache-2.0
// Finds DMARC records and organisational domains: by the tree walk of RFC 9989 section 4.10, and
// where RFC 7489 section 6.6.3 looks. Domains are A-labels in lower case without final dot.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "mailauth/dmarc/record.h"
#include "mailauth/facts/dns_facts.h"

namespace todoku::mailauth::dmarc {

// What stands at "_dmarc." and a domain.
struct Lookup {
  enum class Status : std::uint8_t {
    found,    // exactly one record
    none,     // none of DMARC
    several,  // more than one, which are all discarded
    failed,   // the DNS did not answer, or was not asked yet
  };
  Status status = Status::none;
  Record record;       // found
  std::string detail;  // failed: why
};

[[nodiscard]] Lookup look_up(std::string_view domain, DnsFacts& facts);

// RFC 9989 section 4.10: no walk asks more, however long the name.
inline constexpr std::size_t kWalkQueriesMax = 8;
// The names that a walk from `domain` asks, longest first: it, then the last seven labels or fewer.
[[nodiscard]] std::vector<std::string> walk_names(std::string_view domain);

struct FoundRecord {
  std::string domain;
  Record record;
};

// A walk from a domain up to the first psd=y or psd=n.
struct TreeWalk {
  std::string start;
  std::vector<FoundRecord> records;  // longest name first
  std::vector<std::string> several;  // names with more than one record
  std::string failure;  // not empty: where the DNS failed, so that nothing is concluded

  // RFC 9989 section 4.10.2; of a walk that did not fail.
  [[nodiscard]] std::string organizational_domain() const;
  [[nodiscard]] const FoundRecord* at(std::string_view domain) const;
  // The record of the public suffix that ended the walk, if one did.
  [[nodiscard]] const FoundRecord* of_suffix() const;
};

[[nodiscard]] TreeWalk walk_tree(std::string_view domain, DnsFacts& facts);

[[nodiscard]] std::size_t label_count(std::string_view domain);
// The last `count` labels, or all.
[[nodiscard]] std::string_view last_labels(std::string_view domain, std::size_t count);

// RFC 9989 section 3.2.13 (RFC 8020): the DNS says that there is no such name. nullopt: it fails.
[[nodiscard]] std::optional<bool> exists(std::string_view domain, DnsFacts& facts);

}  // namespace todoku::mailauth::dmarc
