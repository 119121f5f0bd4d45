// SPDX-License-Identifier: Apache-2.0
#include "delivery/pool_choice.h"

#include <utility>

#include <boost/asio/post.hpp>

#include "mail/labels.h"
#include "store/account_name.h"

namespace todoku::delivery {

PoolChoice::PoolChoice(const policy::Pools& pools, store::Store& store, async::Executor executor)
    : pools_(pools), store_(store), executor_(executor), tasks_(executor) {}

std::optional<policy::Pools::Place> PoolChoice::of(const store::Delivery& head,
                                                   const Mailbox& from) {
  if (!pools_.asks_for_sender()) return policy::Pools::kRest;
  std::string account;
  if (pools_.asks_for_account()) {
    auto name = name_of(head.account);
    if (!name) return std::nullopt;
    account = std::move(*name);
  }
  return pools_.pool_of({.account = account,
                         .traffic = head.traffic,
                         .purpose = purpose_of(head.labels.purpose, head.type),
                         .from_domain = policy::sender_domain(from.address)});
}

std::optional<std::string> PoolChoice::name_of(store::AccountKey account) {
  {
    const std::lock_guard lock(mutex_);
    const auto known = names_.find(account);
    if (known != names_.end()) return known->second;
    if (!asked_.insert(account).second) return std::nullopt;
  }
  boost::asio::post(executor_,
                    [this, account] { tasks_.spawn("account name", read_name(account)); });
  return std::nullopt;
}

Task<void> PoolChoice::read_name(store::AccountKey account) {
  const auto name =
      co_await store_.read([account](store::ReadTransaction& reader) -> Result<std::string> {
        return store::read_account_name(reader, account);
      });
  const std::lock_guard lock(mutex_);
  asked_.erase(account);
  if (!name || name->empty()) co_return;
  if (names_.size() >= kNamesMax) names_.clear();
  names_.emplace(account, *name);
}

}  // namespace todoku::delivery
