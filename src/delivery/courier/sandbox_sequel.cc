// SPDX-License-Identifier: Apache-2.0
#include "delivery/courier/sandbox_sequel.h"

#include <array>

namespace todoku::delivery::courier {
namespace {

using policy::SandboxAfter;

Task<Result<void>> come_back(store::Store& store, store::RecipientKey mail) {
  const std::array outcomes{store::OutcomeRecord{.key = mail,
                                                 .outcome = policy::sandbox_return(),
                                                 .path = policy::sandbox_path(),
                                                 .wait = {},
                                                 .site = std::string(kSandboxSite),
                                                 .if_taken = true}};
  const auto settled = co_await store.perform(store::Settle{.outcomes = outcomes, .releases = {}});
  if (!settled) co_return fail(settled.error());
  if (!settled->outcomes.front()) co_return fail(settled->outcomes.front().error());
  co_return Result<void>();
}

Result<void> write_sequel(store::WriteTransaction& writer, store::AccountKey account,
                          const store::RecipientKey& mail, SandboxAfter after) {
  if (after == SandboxAfter::unsubscribed) {
    writer.tell_of_recipient(store::EventKind::unsubscribed, account, mail);
    return {};
  }
  if (after == SandboxAfter::complained) {
    const auto told = writer.record_complaint(account, mail, store::ComplaintEvent::told);
    return told ? Result<void>() : fail(told.error());
  }
  const std::array seen{store::OpenSeen{.account = account, .recipient = mail}};
  const auto told = writer.record_opens(seen);
  return told ? Result<void>() : fail(told.error());
}

}  // namespace

Task<Result<void>> tell_sequel(store::Store& store, store::AccountKey account,
                               store::RecipientKey mail, policy::SandboxAfter after) {
  if (after == SandboxAfter::nothing) co_return Result<void>();
  if (after == SandboxAfter::returned) co_return co_await come_back(store, mail);
  auto told = co_await store.write(store::WritePriority::outcomes,
                                   [account, mail, after](store::WriteTransaction& writer) {
                                     return write_sequel(writer, account, mail, after);
                                   });
  co_return told;
}

}  // namespace todoku::delivery::courier
