// SPDX-License-Identifier: Apache-2.0
// Who may send as whom: a From address is of a domain that its account has proven, or of one below
// it. In memory, so that a mail costs no question of the store; whoever reads the store loads it
// anew when something has changed there. Thread-safe.
#pragma once

#include <cstdint>
#include <memory>
#include <set>
#include <shared_mutex>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/bilingual.h"
#include "store/domains.h"

namespace todoku::intake {

class Senders {
 public:
  enum class Verdict : std::uint8_t {
    proven,    // the account has the domain
    unproven,  // it has not; but there is no other account to be taken for
    refused,
    of_another,  // refused: another account has it, or what is nearest above it
  };

  // `any`: nothing is asked of the installation's only account.
  explicit Senders(bool any = false) : any_(any) {}

  // Takes these claims, and only these, from now on. `several`: there are several accounts, but for
  // those in `sandboxes`, which may send as anybody: their mail reaches nobody (store/accounts.h).
  void load(const std::vector<store::Domain>& proven, bool several,
            std::set<store::AccountKey> sandboxes = {});

  // Of a domain as mail/address.h has it. Where accounts share a domain each may send from it; one
  // below it that another account has proven is that account's.
  [[nodiscard]] Verdict judge(store::AccountKey account, std::string_view from_domain) const;
  [[nodiscard]] static constexpr bool refuses(Verdict verdict) {
    return verdict == Verdict::refused || verdict == Verdict::of_another;
  }
  // The account may send, and has no domain of its own.
  [[nodiscard]] bool starts_unproven(store::AccountKey account) const;
  [[nodiscard]] bool several() const { return table()->several; }

 private:
  struct Table {
    bool several = true;  // until it is known
    std::unordered_map<std::string, std::set<store::AccountKey>> holders;
    std::set<store::AccountKey> with_domains;
    std::set<store::AccountKey> sandboxes;
  };
  [[nodiscard]] std::shared_ptr<const Table> table() const;

  const bool any_;
  mutable std::shared_mutex mutex_;
  std::shared_ptr<const Table> table_ = std::make_shared<const Table>();
};

// What an account is told that sends without proof; ASCII, for the value of a header.
inline constexpr std::string_view kUnprovenWarning =
    "the From domain is not proven to be this account's; mail is accepted while there is no other "
    "account (todoku domain add, or POST /api/v1/domains)";

}  // namespace todoku::intake
