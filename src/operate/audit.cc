// SPDX-License-Identifier: Apache-2.0
// Who looked at what of somebody's: told, and written before it is answered. How long an account's
// mail is kept.
#include <optional>
#include <utility>

#include "base/bytes.h"
#include "base/date_time.h"
#include "mail/address.h"
#include "operate/operations.h"
#include "store/account_name.h"

namespace todoku::operate {

Task<Result<void>> Operations::note(store::AuditEntry entry, std::string address) {
  co_return co_await store_.write(
      store::WritePriority::claims,
      [entry = std::move(entry), address = std::move(address)](store::WriteTransaction& writer) {
        return writer.add_audit(entry, address);
      });
}

Task<Result<AuditPage>> Operations::audit(AuditRequest request) {
  store::AuditQuestion question{.since = {},
                                .after = request.after,
                                .limit = request.limit,
                                .account = request.account,
                                .newest_first = request.newest_first};
  if (!request.since.empty()) {
    question.since = parse_date_time(request.since);
    if (!question.since) {
      co_return fail(ErrorKind::invalid_input,
                     "since is no date and time such as 2026-04-01T09:00:00+09:00");
    }
  }
  if (!request.address.empty()) {
    const auto address = parse_address(trim(request.address));
    if (!address) co_return fail(address.error());
    question.address = address->to_string();
  }
  co_return co_await store_.read([question](store::ReadTransaction& reader) -> Result<AuditPage> {
    auto entries = reader.audit(question);
    if (!entries) return fail(std::move(entries.error()));
    AuditPage page;
    if (std::ssize(*entries) >= question.limit) page.next = entries->back().number;
    for (store::AuditEntry& entry : *entries) {
      AuditLine line;
      if (entry.account != store::kInstallation) {
        line.account = store::account_name(reader, entry.account);
      }
      line.entry = std::move(entry);
      page.lines.push_back(std::move(line));
    }
    return page;
  });
}

Task<Result<store::KeptFor>> Operations::keep_for(std::string account_name,
                                                  std::optional<std::int64_t> content_days,
                                                  std::optional<std::int64_t> story_days) {
  const auto owner = co_await account(std::move(account_name));
  if (!owner) co_return fail(owner.error());
  co_return co_await store_.write(
      store::WritePriority::accept,
      [key = owner->key, content_days,
       story_days](store::WriteTransaction& writer) -> Result<store::KeptFor> {
        auto kept = store::kept_for(writer.read(), key);
        if (!kept) return kept;
        if (!content_days && !story_days) return kept;
        kept->content_days = content_days.value_or(kept->content_days);
        kept->story_days = story_days.value_or(kept->story_days);
        auto put = writer.put_setting(store::retention_setting(key), store::written(*kept));
        if (!put) return fail(std::move(put.error()));
        return kept;
      });
}

}  // namespace todoku::operate
