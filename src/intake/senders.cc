// SPDX-License-Identifier: Apache-2.0
#include "intake/senders.h"

#include <mutex>
#include <utility>

namespace todoku::intake {

void Senders::load(const std::vector<store::Domain>& proven, bool several,
                   std::set<store::AccountKey> sandboxes) {
  auto table = std::make_shared<Table>();
  table->several = several;
  table->sandboxes = std::move(sandboxes);
  for (const store::Domain& domain : proven) {
    if (domain.state != store::DomainState::proven) continue;
    table->holders[domain.domain].insert(domain.account);
    table->with_domains.insert(domain.account);
  }
  const std::unique_lock lock(mutex_);
  table_ = std::move(table);
}

std::shared_ptr<const Senders::Table> Senders::table() const {
  const std::shared_lock lock(mutex_);
  return table_;
}

Senders::Verdict Senders::judge(store::AccountKey account, std::string_view from_domain) const {
  const auto table = this->table();
  if (table->sandboxes.contains(account)) return Verdict::proven;
  const Verdict otherwise = table->several ? Verdict::refused
                            : any_         ? Verdict::proven
                                           : Verdict::unproven;
  for (std::string_view domain = from_domain; !domain.empty();) {
    const auto found = table->holders.find(std::string(domain));
    if (found != table->holders.end()) {
      if (found->second.contains(account)) return Verdict::proven;
      return otherwise == Verdict::refused ? Verdict::of_another : otherwise;
    }
    const std::size_t dot = domain.find('.');
    domain = dot == std::string_view::npos ? std::string_view() : domain.substr(dot + 1);
  }
  return otherwise;
}

bool Senders::starts_unproven(store::AccountKey account) const {
  const auto table = this->table();
  return !any_ && !table->several && !table->sandboxes.contains(account) &&
         !table->with_domains.contains(account);
}

}  // namespace todoku::intake
