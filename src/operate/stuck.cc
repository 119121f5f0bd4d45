// SPDX-License-Identifier: Apache-2.0
// Operations on mails that are set aside (store/work.h).
#include <fmt/format.h>

#include "operate/account_names.h"
#include "operate/operations.h"

namespace todoku::operate {
namespace {

// Recipients of one transaction: each is a few rows.
constexpr std::int64_t kSlice = 500;

Result<StuckMails> read_stuck(store::ReadTransaction& transaction, std::int64_t limit) {
  auto aside = transaction.set_aside(limit + 1);
  if (!aside) return fail(std::move(aside.error()));
  StuckMails stuck;
  stuck.more = static_cast<std::int64_t>(aside->size()) > limit;
  if (stuck.more) aside->pop_back();
  AccountNames names;
  for (store::SetAside& mail : *aside) {
    auto name = names.of(transaction, mail.account);
    if (!name) return fail(std::move(name.error()));
    if (*name) stuck.mails.push_back({.account = **std::move(name), .mail = std::move(mail)});
  }
  return stuck;
}

Result<void> release(store::WriteTransaction& transaction, store::AccountKey account,
                     store::PublicId email_id, const MaybeGranter& by) {
  const auto recipient = transaction.read().recipient(account, email_id);
  if (!recipient) return fail(recipient.error());
  auto offered = transaction.offer_set_aside(recipient->key);
  if (!offered) return offered;
  return note_by(transaction, by, fmt::format("stuck.release: {}", email_id), account);
}

Result<std::int64_t> release_slice(store::WriteTransaction& transaction) {
  const auto aside = transaction.read().set_aside(kSlice);
  if (!aside) return fail(aside.error());
  for (const store::SetAside& mail : *aside) {
    auto offered = transaction.offer_set_aside(mail.key);
    if (!offered) return fail(std::move(offered.error()));
  }
  return static_cast<std::int64_t>(aside->size());
}

}  // namespace

Task<Result<StuckMails>> Operations::stuck(std::int64_t limit) {
  auto found = co_await store_.read(
      [limit](store::ReadTransaction& transaction) { return read_stuck(transaction, limit); });
  co_return found;
}

Task<Result<void>> Operations::release_stuck(std::string account_name, store::PublicId email_id,
                                             MaybeGranter by) {
  auto owner = co_await account(account_name);
  if (!owner) co_return fail(std::move(owner.error()));
  auto released =
      co_await store_.write(store::WritePriority::accept,
                            [key = owner->key, email_id, by](store::WriteTransaction& transaction) {
                              return release(transaction, key, email_id, by);
                            });
  if (!released && released.error().kind == ErrorKind::not_found) {
    co_return fail(ErrorKind::not_found,
                   fmt::format("mail {} of account {} is not set aside", email_id, account_name));
  }
  co_return released;
}

Task<Result<std::int64_t>> Operations::release_all_stuck() {
  std::int64_t released = 0;
  while (true) {
    const auto slice = co_await store_.write(store::WritePriority::accept, release_slice);
    if (!slice) co_return fail(slice.error());
    released += *slice;
    if (*slice < kSlice) co_return released;
  }
}

}  // namespace todoku::operate
