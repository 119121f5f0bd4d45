// SPDX-License-Identifier: Apache-2.0
// To how many recipients of which domains a delivery goes: a histogram that is kept while
// recipients are appended (append_recipients(), StageRows), changed and removed, in the transaction
// of that. A call writes a row for each domain that occurs in it, however many recipients it has.
//
// Bounded: of each section of a delivery (what is appended makes one, each import another)
// kDomainsCountedMax domains are counted apart, in the order in which they come; what of a further
// call would be one too many goes, with all domains that this call has for the first time, to the
// "others", and so does every new domain from then on. A domain whose last recipient is removed
// loses its row, but not its place among those.
//
// Not kept for transactions and messages by SMTP, whose few recipients a sample holds all
// (recipient_sample.h). Of drafts that were begun before it was kept, or that a node of the version
// before has appended to, what was counted is not all: then it is not known (DomainHistogram), and
// nobody counts afterwards, because that would be a look at every recipient.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/result.h"
#include "store/keys.h"
#include "store/recipients.h"

namespace todoku::store {

class ReadTransaction;

// Of one section.
inline constexpr std::int64_t kDomainsCountedMax = 20'000;

struct DomainCount {
  std::string domain;  // as in NewRecipient; empty: the others
  std::int64_t recipients = 0;
  friend bool operator==(const DomainCount&, const DomainCount&) = default;
};

// Where going through a delivery's counts goes on. Opaque.
struct DomainCountPlace {
  std::int64_t section = 0;
  std::optional<std::string> after;  // of its domains; nullopt: none is read yet
};

// Of one section: of several, each has pages of its own, and a domain may come in each.
struct DomainCountPage {
  std::vector<DomainCount> counts;
  std::optional<DomainCountPlace> next;  // nullopt: there are no more
};

class DomainCountReads {
 public:
  virtual ~DomainCountReads() = default;
  // Of what is to be seen of a delivery: not of imports that run. At most `limit` rows.
  [[nodiscard]] virtual Result<DomainCountPage> domain_counts(
      DeliveryKey key, const std::optional<DomainCountPlace>& from, std::int64_t limit) = 0;
};

// A walk (walks.h) through a delivery's counts.
//
//   DomainHistogram histogram(delivery.key);
//   const auto walked = co_await walk(store, histogram);
//   if (walked && histogram.known()) use(histogram.largest(500));
class DomainHistogram {
 public:
  explicit DomainHistogram(DeliveryKey key) : key_(key) {}

  // In memory at once; of more domains, in many sections, the rest counts as others.
  static constexpr std::size_t kDomainsMax = 100'000;

  [[nodiscard]] Result<bool> step(ReadTransaction& transaction);

  // Whether what is counted is all of the delivery's recipients. Otherwise nothing below is to be
  // relied upon.
  [[nodiscard]] bool known() const { return done_ && recipients_ == total_; }
  [[nodiscard]] std::int64_t recipients() const { return recipients_; }
  // That are counted apart.
  [[nodiscard]] std::int64_t domains() const { return static_cast<std::int64_t>(counts_.size()); }
  // Recipients of domains that are not.
  [[nodiscard]] std::int64_t others() const { return others_; }
  // The domains with the most recipients, those first; of equal ones in the order of their names.
  [[nodiscard]] std::vector<DomainCount> largest(std::size_t most) const;
  // The same, and of the smaller ones, in that order, so many as a sample: the first, the last and
  // others evenly between. All of them, where they are no more.
  [[nodiscard]] std::vector<DomainCount> largest_and_some(std::size_t most,
                                                          std::size_t sample) const;

 private:
  const DeliveryKey key_;
  std::optional<DomainCountPlace> place_;
  std::unordered_map<std::string, std::int64_t> counts_;
  std::int64_t others_ = 0;
  std::int64_t recipients_ = 0;
  std::int64_t total_ = 0;  // of the delivery, when its counts were read to the end
  bool done_ = false;
};

// For back ends: the domains of these recipients with their numbers, by name. The names are views
// of the recipients'.
struct DomainTally {
  std::string_view domain;
  std::int64_t recipients = 0;
};
[[nodiscard]] std::vector<DomainTally> tally_domains(std::span<const NewRecipient> recipients);
// NewRecipient::domain of this NewRecipient::address.
[[nodiscard]] std::string_view domain_of(std::string_view address);

}  // namespace todoku::store
