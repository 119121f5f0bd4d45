// SPDX-License-Identifier: Apache-2.0
// What an import found out about a list: how it was read and, where it was only to be looked at,
// what it would bring. Pure and bounded, however long the list is.
//
//   {"form": "csv", "encoding": "shift_jis", "encoding_by": "octets", "separator": "tab",
//    "check": {"rows": 5, "recipients": 3, "malformed": 1, "duplicates": 1, "suppressed": 0,
//              "domains": [{"domain": "example.jp", "recipients": 3}],
//              "other_domains": {"domains": 0, "recipients": 0},
//              "codes": [{"key": "__name__", "missing": 3}]},
//    "already_there": {"compared": true, "recipients": 1, "rows": [2]}}
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "intake/address_set.h"
#include "intake/list_encoding.h"
#include "mail/content.h"
#include "store/imports.h"
#include "store/recipients.h"

namespace todoku::intake {

// The keys of insert codes that stand in the content, each once, in their order; of more than
// `most` those. The link to leave by is none.
[[nodiscard]] std::vector<std::string> keys_in(const Content& content, std::size_t most = 100);

// Recipients of a list are counted by it, one after the other.
class ListCheck {
 public:
  // Told by name are those with the most; others are counted together. Of more domains than are
  // remembered the later ones are counted as one.
  static constexpr std::size_t kDomainsTold = 100;
  static constexpr std::size_t kDomainsMax = 100'000;

  // `from_template`: a value that is empty or blank is none.
  explicit ListCheck(std::vector<std::string> keys, bool from_template = false,
                     std::size_t domains_max = kDomainsMax);

  void count(const store::NewRecipient& recipient);
  // Of those that were counted, so many more will not be sent to.
  void count_suppressed(std::int64_t recipients) { suppressed_ += recipients; }

  struct Rows {
    std::int64_t malformed = 0;
    std::int64_t duplicates = 0;
  };
  // A JSON object.
  [[nodiscard]] std::string json(const Rows& rows) const;

 private:
  struct Code {
    std::string key;
    std::int64_t missing = 0;
  };

  const bool from_template_;
  const std::size_t domains_max_;
  std::vector<Code> codes_;
  std::map<std::string, std::int64_t, std::less<>> domains_;
  std::int64_t others_ = 0;  // recipients of domains that are not remembered
  std::int64_t recipients_ = 0;
  std::int64_t suppressed_ = 0;
};

// Rows of a list whose address the draft had before, by another list say, and which become one more
// recipient each all the same: how many, and the first of them. Their addresses are not told, for
// findings are kept.
class AlreadyThere {
 public:
  static constexpr std::size_t kRowsTold = 20;
  // Of a draft with more nobody looks at those.
  static constexpr std::int64_t kComparedMax = 100'000;

  explicit AlreadyThere(std::int64_t recipients_before) : before_(recipients_before) {}

  // Whether those of before are to be told of by add().
  [[nodiscard]] bool compares() const { return before_ > 0 && before_ <= kComparedMax; }
  void add(std::string_view address) { addresses_.insert(address); }
  // A row that becomes a recipient.
  void look_at(std::string_view address, std::uint64_t row);
  // A JSON object; empty: there was nobody before.
  [[nodiscard]] std::string json() const;

 private:
  std::int64_t before_;
  AddressSet addresses_{AddressSet::random_key(), kComparedMax};
  std::int64_t recipients_ = 0;
  std::vector<std::uint64_t> rows_;
};

struct ListFindings {
  store::ImportForm form = store::ImportForm::csv;
  ListEncoding encoding = {};
  char separator = ',';
  std::string check = {};          // ListCheck::json(); empty: the list was imported
  std::string already_there = {};  // AlreadyThere::json()
};
// At most store::kFindingsOctetsMax.
[[nodiscard]] std::string json_of(const ListFindings& findings);

}  // namespace todoku::intake
