// SPDX-License-Identifier: Apache-2.0
#include "intake/draft_update.h"

#include <optional>
#include <set>
#include <string>
#include <utility>

#include "async/yield.h"
#include "base/bytes.h"
#include "intake/check.h"
#include "intake/check_size.h"
#include "intake/from_template.h"

namespace todoku::intake {
namespace {

// Checked before others on its thread get their turn.
constexpr std::size_t kRecipientsPerTurn = 8;

struct Listed {
  std::vector<store::NewRecipient> recipients;
  std::vector<std::size_t> places;  // of each in the request's list
  std::size_t folded = 0;
};

Task<Listed> recipients_of(
    const store::Account& account,  // NOLINT(*-reference-coroutine-parameters)
    const UpdateRequest& request,   // NOLINT(*-reference-coroutine-parameters)
    const Limits& limits,           // NOLINT(*-reference-coroutine-parameters)
    Problems& problems) {           // NOLINT(*-reference-coroutine-parameters)
  Listed listed;
  std::set<std::string> seen;
  for (std::size_t i = 0; i < request.to->size(); ++i) {
    // With 50 values each of thousands of characters, a few are worth a millisecond.
    if (i % kRecipientsPerTurn == kRecipientsPerTurn - 1) co_await async::give_way();
    const Path path{"to", std::to_string(i)};
    auto recipient = check_recipient((*request.to)[i], path, limits, problems);
    check_allowed(account.allowed_recipients, recipient.address, {"to", path[1], "email"},
                  problems);
    if (!request.keep_duplicates && !seen.insert(to_ascii_lower(recipient.address)).second) {
      ++listed.folded;
      continue;
    }
    listed.recipients.push_back(std::move(recipient));
    listed.places.push_back(i);
  }
  co_return listed;
}

store::DraftChange change_of(UpdateRequest& request, Labels labels) {
  store::DraftChange change{.from = std::move(request.from),
                            .subject = std::move(request.subject),
                            .text_part = std::move(request.text_part),
                            .html_part = std::move(request.html_part),
                            .list_unsubscribe_mailto = std::move(request.list_unsubscribe_mailto),
                            .list_unsubscribe_url = std::move(request.list_unsubscribe_url),
                            .list_unsubscribe_one_click = request.list_unsubscribe_one_click,
                            .headers = std::move(request.headers),
                            .inline_parts = std::move(request.inline_parts)};
  if (request.labels.tags) change.tags = std::move(labels.tags);
  if (request.labels.list_id) change.list_id = std::move(labels.list_id);
  if (request.labels.purpose) change.purpose = labels.purpose;
  if (request.reply_to) change.reply_to = std::optional<Mailbox>(std::move(*request.reply_to));
  return change;
}

// What an update says beside what it changes, and is held against the draft.
struct SaidOfDraft {
  TextsChanged texts;
  std::optional<bool> at_most_once;
  std::optional<Purpose> purpose;
  std::shared_ptr<const std::vector<store::NewRecipient>> recipients;
  std::vector<std::size_t> places;
};

void check_draft(const SaidOfDraft& said, const store::Delivery& draft,
                 const mime::MessageSize& size, const Limits& limits, Problems& problems) {
  refuse_change_of_texts(said.texts, draft.content, problems);
  if (said.at_most_once && *said.at_most_once != draft.at_most_once) {
    problems.add({"duplicate_policy"}, texts::policy_stays(draft.at_most_once));
  }
  check_has_text(draft.content, problems);
  check_one_click(draft.content, problems);
  check_unsubscribe_link(draft.content,
                         purpose_of(said.purpose.value_or(draft.labels.purpose), draft.type),
                         limits, problems);
  check_files_of_draft(draft, limits, problems);
  check_draft_size(draft, size, limits, problems);
  if (!said.recipients) return;
  const CodesWanted wanted(draft.content);
  for (std::size_t i = 0; i < said.recipients->size(); ++i) {
    const std::vector<InsertCode>& codes = (*said.recipients)[i].insert_codes;
    const Path path{"to", std::to_string(said.places[i])};
    wanted.check(codes, path, problems);
    check_codes_size(codes, size, path, limits, problems);
  }
}

}  // namespace

Task<DraftUpdate> update_of(store::Account account, UpdateRequest request, Limits limits,
                            const Senders* senders) {
  DraftUpdate update;
  check_update(request, limits, update.problems);
  if (request.from) check_sender(*request.from, account.key, senders, update.problems);
  Labels labels = check_labels(request.labels, update.problems);
  SaidOfDraft said{.texts = {.subject = request.subject.has_value(),
                             .text_part = request.text_part.has_value(),
                             .html_part = request.html_part.has_value()},
                   .at_most_once = request.at_most_once,
                   .purpose = {},
                   .recipients = {},
                   .places = {}};
  if (request.labels.purpose) said.purpose = labels.purpose;
  if (request.to && request.to->size() <= limits.update_recipients_max) {
    auto listed = co_await recipients_of(account, request, limits, update.problems);
    said.recipients =
        std::make_shared<const std::vector<store::NewRecipient>>(std::move(listed.recipients));
    said.places = std::move(listed.places);
    update.folded = listed.folded;
  }
  update.recipients = said.recipients;
  update.steering = std::move(request.steering);
  update.change = change_of(request, std::move(labels));
  update.check = [said = std::move(said), limits](const store::Delivery& draft,
                                                  const mime::MessageSize& size, Problems& found) {
    check_draft(said, draft, size, limits, found);
  };
  co_return update;
}

}  // namespace todoku::intake
