// SPDX-License-Identifier: Apache-2.0
// One mail once more, to its recipient or to another address: what it said is taken from the store
// and passes the door as a transaction of its own does, with limits, suppression and all.
#include <optional>
#include <string>
#include <utility>

#include "intake/changes.h"
#include "intake/intake.h"

namespace todoku::intake {
namespace {

std::string word_of(Purpose purpose) {
  return std::string(to_string(purpose));
}

// The mail, as a request that would make it again; a refusal: it cannot be made again.
Answer<TransactionRequest> said_by(store::ReadTransaction& reader, store::AccountKey account,
                                   store::PublicId email) {
  const auto recipient = reader.recipient(account, email);
  if (!recipient) return refuse(refusal_of(recipient.error()));
  const auto story = reader.story(recipient->key);
  if (!story) return refuse(refusal_of(story.error()));
  if (!is_terminal(story->state)) return refuse(ErrorKind::conflict, texts::not_over_yet());
  const auto delivery = reader.delivery_head(recipient->key.delivery);
  if (!delivery) return refuse(refusal_of(delivery.error()));
  auto content = reader.content(delivery->key);
  if (!content) return refuse(refusal_of(content.error()));
  if (content->relayed) return refuse(ErrorKind::conflict, texts::came_whole());
  const bool is_erased = content->subject == store::kErasedText || recipient->address.empty();
  if (is_erased) return refuse(ErrorKind::conflict, texts::is_erased());
  TransactionRequest request;
  request.open_tracking = content->open_tracking;
  request.content = std::move(*content);
  request.content.header_to.clear();
  request.content.header_cc.clear();
  request.at_most_once = delivery->at_most_once;
  request.to = recipient->address;
  request.insert_codes = recipient->insert_codes;
  request.attached = {.reference = recipient->attached.reference,
                      .metadata = recipient->attached.metadata};
  request.labels = {.tags = delivery->labels.tags,
                    .list_id = delivery->labels.list_id,
                    .purpose = word_of(purpose_of(delivery->labels.purpose, delivery->type))};
  request.resend_of = email;
  return request;
}

}  // namespace

Task<Answer<Made>> Intake::resend(store::Account account, store::PublicId email,
                                  std::optional<std::string> to, Repeatable repeatable) {
  if (auto suspended = refuse_if_suspended(account)) co_return refuse(std::move(*suspended));
  auto refusal = std::make_shared<Found>();
  auto said =
      co_await store_.read([account = account.key, email,
                            refusal](store::ReadTransaction& reader) -> Result<TransactionRequest> {
        auto found = said_by(reader, account, email);
        if (found) return std::move(*found);
        *refusal = std::move(found.error());
        return fail(ErrorKind::conflict, "refused");
      });
  if (*refusal) co_return refuse(std::move(**refusal));
  if (!said) co_return refuse(refusal_of(said.error()));
  if (to) said->to = std::move(*to);
  co_return co_await accept_transaction(std::move(account), std::move(*said), {}, repeatable);
}

}  // namespace todoku::intake
