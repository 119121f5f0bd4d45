// SPDX-License-Identifier: Apache-2.0
// Changes of drafts: what they say and whom they go to. A draft's row is locked against other
// changes after its batches, as everywhere; until then it is a condition of each change that it is
// a draft.
#include <bit>

#include "store/batching.h"
#include "store/drafts.h"
#include "store/postgres/contents.h"
#include "store/postgres/domain_counts.h"
#include "store/postgres/recipient_appender.h"
#include "store/postgres/rows.h"
#include "store/postgres/transactions.h"
#include "store/records.h"
#include "store/texts.h"

namespace todoku::store::postgres {
namespace {

const Sql kLockOwner{"drafts: lock account",
                     "SELECT key FROM accounts WHERE key = $1 FOR NO KEY UPDATE"};
const Sql kInsertDraft{
    "drafts: insert",
    "INSERT INTO deliveries(key, account, id, type, traffic, status, phase, deleted, at_most_once,"
    " created, updated, total, delivered, bounced, dropped, expired, cancelled, unknown, deferred,"
    " signing, failure_reason, purpose, list_id, tags, life, credential)"
    " VALUES($1, $2, $3, $4, $5, 1, 1, 0, $6, $7, $7, 0, 0, 0, 0, 0, 0, 0, 0, '', '', $8, $9,"
    " $10, $11, $12)"};
const Sql kChangeLabels{"drafts: change labels",
                        "UPDATE deliveries SET tags = coalesce($2, tags),"
                        " list_id = coalesce($3, list_id), purpose = coalesce($4, purpose)"
                        " WHERE key = $1"};
const Sql kTouch{"drafts: touch",
                 "UPDATE deliveries SET updated = $2, total = total + $3 WHERE key = $1"
                 " AND status = 1 AND deleted = 0"};
// Of one whose row is locked: its status was looked at.
const Sql kCountOff{"drafts: count off",
                    "UPDATE deliveries SET updated = $2, total = total - 1 WHERE key = $1"};
const Sql kChangeContents{"drafts: change contents",
                          "UPDATE contents SET from_address = coalesce($2, from_address),"
                          " from_name = coalesce($3, from_name),"
                          " reply_address = CASE WHEN $4 = 1 THEN $5 ELSE reply_address END,"
                          " reply_name = CASE WHEN $4 = 1 THEN $6 ELSE reply_name END,"
                          " subject = coalesce($7, subject), text_part = coalesce($8, text_part),"
                          " html_part = coalesce($9, html_part),"
                          " unsubscribe_mailto = coalesce($10, unsubscribe_mailto),"
                          " unsubscribe_url = coalesce($11, unsubscribe_url),"
                          " headers = coalesce($12, headers),"
                          " one_click = coalesce($13, one_click) WHERE delivery = $1"};
const Sql kDropInlineParts{"drafts: drop inline parts",
                           "DELETE FROM attachments WHERE delivery = $1 AND content_id <> ''"};
const Sql kCountAttachments{"drafts: count attachments",
                            "UPDATE contents SET attachments = (SELECT count(*) FROM attachments"
                            " WHERE delivery = $1) WHERE delivery = $1"};
const Sql kDiscardSections{"drafts: discard sections",
                           "UPDATE sections SET state = 3 WHERE delivery = $1 AND state = 1"};
const Sql kClearTotal{"drafts: clear total",
                      "UPDATE deliveries SET total = 0, updated = $2 WHERE key = $1"};
// The section of a recipient that may be changed, then its batch, locked, and who it is; and, by a
// later statement, its delivery.
const Sql kLockDraftSection{"drafts: lock section",
                            "SELECT s.id FROM sections s WHERE s.id = (SELECT section FROM batches"
                            " WHERE number = $1 AND delivery = $2) AND s.state = 1"
                            " FOR NO KEY UPDATE OF s"};
const Sql kLockDraftBatch{"drafts: lock batch",
                          "SELECT " BATCH_ROW_COLUMNS
                          " FROM batches b JOIN sections s ON s.id = b.section AND s.state = 1"
                          " WHERE b.number = $1 AND b.delivery = $2 FOR NO KEY UPDATE OF b"};
// An address of another domain comes into a batch of one domain: from now on it is shared.
const Sql kWholeAddresses{"drafts: whole addresses",
                          "UPDATE recipients SET address = address || $2 WHERE batch = $1"
                          " AND address LIKE '%@'"};
const Sql kShareBatch{"drafts: share batch", "UPDATE batches SET domain = '' WHERE number = $1"};
const Sql kDraftAddress{"drafts: address",
                        "SELECT address FROM recipients WHERE batch = $1 AND seq = $2"};
const Sql kChangeRecipient{"drafts: change recipient",
                           "UPDATE recipients SET address = $3, hash = $4, codes = $5, updated = $6"
                           " WHERE batch = $1 AND seq = $2"};
const Sql kRemoveRecipient{"drafts: remove recipient",
                           "DELETE FROM recipients WHERE batch = $1 AND seq = $2"};
const Sql kRemoveMarks{"drafts: remove marks",
                       "DELETE FROM recipient_marks WHERE batch = $1 AND seq = $2"};
const Sql kCountRemoved{"drafts: count removed",
                        "UPDATE batches SET open = open - 1, removed = removed + 1,"
                        " ready_at = CASE WHEN open > 1 THEN ready_at END WHERE number = $1"};

std::optional<std::string_view> text_of(const std::optional<std::string>& text) {
  if (!text) return std::nullopt;
  return std::string_view(*text);
}

std::unexpected<Error> no_draft_recipient() {
  return fail(ErrorKind::not_found, "there is no such recipient");
}

// Its row locked. Nothing else of it may be locked after.
Result<Delivery> draft_for_change(Session& session, DeliveryKey key) {
  return checked_draft(locked_delivery(session, key));
}

// One recipient of a draft.
struct DraftRecipient {
  BatchRow batch;
  std::string domain;
};

// Everything of it but its delivery locked.
Result<std::optional<DraftRecipient>> draft_recipient(Session& session, const RecipientKey& key) {
  const std::int64_t number = batch_number(key.batch_key());
  const auto answers = session.add(kLockDraftSection, Params() << number << key.delivery)
                           .add(kLockDraftBatch, Params() << number << key.delivery)
                           .add(kDraftAddress, Params() << number << key.seq)
                           .fly();
  if (!answers) return fail(answers.error());
  const Table& batch = (*answers)[answers->size() - 2];
  const Table& address = answers->back();
  if (batch.empty() || address.empty()) return std::nullopt;
  DraftRecipient recipient{batch_in(batch, 0, 0), {}};
  recipient.domain = domain_of(full_address(address.text(0, 0), recipient.batch.domain));
  return recipient;
}

// Its place in the histogram becomes another's, or nobody's, before its delivery is locked.
void move_count(Session& session, const std::optional<DraftRecipient>& recipient,
                const NewRecipient* now) {
  if (recipient && (now == nullptr || now->domain != recipient->domain)) {
    const std::int64_t section = recipient->batch.section.value_or(0);
    DomainColumns::add_discount(session, section, recipient->domain);
    DomainColumns domains;
    if (now != nullptr) domains.add(section, tally_domains(std::span(now, 1)));
    domains.add_statements(session);
  }
}

// Of a delivery that may be changed: what was found of that.
Result<void> check_found(const Result<Delivery>& delivery,
                         const std::optional<DraftRecipient>& recipient) {
  if (!delivery) return fail(delivery.error());
  return recipient ? Result<void>() : no_draft_recipient();
}

Result<void> done_or(const Result<std::vector<Table>>& answers) {
  if (!answers) return fail(answers.error());
  return {};
}

}  // namespace

Result<void> Changes::room_for_draft(const NewDelivery& delivery, std::int64_t drafts_max) {
  const auto owner = session_.ask(kLockOwner, Params() << delivery.account);
  if (!owner) return fail(owner.error());
  if (owner->empty()) return fail(ErrorKind::not_found, "there is no such account");
  return check_one_more_draft(questions_.count_drafts(delivery.account, delivery.type, drafts_max),
                              drafts_max);
}

Result<Delivery> Changes::create_draft(const NewDelivery& delivery,
                                       std::optional<std::int64_t> drafts_max) {
  if (auto sound = check_relayed_data(delivery); !sound) return fail(std::move(sound.error()));
  const auto attachments = static_cast<std::int64_t>(delivery.content.attachments.size());
  const auto number = session_.take_numbers(1 + attachments);
  if (!number) return fail(number.error());
  const auto id = session_.take_ids(delivery.account, IdKind::delivery, 1);
  if (!id) return fail(id.error());
  if (drafts_max) {
    auto room = room_for_draft(delivery, *drafts_max);
    if (!room) return fail(std::move(room.error()));
  }
  Delivery made;
  made.key = DeliveryKey{*number};
  made.account = delivery.account;
  made.id = *id;
  made.type = delivery.type;
  made.traffic = delivery.traffic;
  made.at_most_once = delivery.at_most_once;
  made.labels = delivery.labels;
  made.created = made.updated = session_.now();
  ContentColumns contents;
  contents.add(made, delivery, *number + 1);
  if (contents.has_relayed()) {
    const auto named = session_.ask(ContentColumns::kNameRelayed, contents.relayed_names());
    if (!named) return fail(named.error());
    if (named->changes() == 0) return octets_are_gone();
  }
  const auto life =
      delivery.life ? std::optional<std::int64_t>(delivery.life->count()) : std::nullopt;
  session_.add(kInsertDraft, Params()
                                 << made.key << made.account << made.id << made.type << made.traffic
                                 << made.at_most_once << made.created << made.labels.purpose
                                 << std::string_view(made.labels.list_id)
                                 << std::string_view(joined_tags(made.labels.tags)) << life
                                 << delivery.credential());
  contents.add_statements(session_, session_.now());
  auto done = session_.fly();
  if (!done) return fail(std::move(done.error()));
  return made;
}

Result<void> Changes::replace_inline_parts(Delivery& delivery, std::span<const Attachment> parts) {
  std::int64_t first_id = 0;
  if (!parts.empty()) {
    const auto number = session_.take_numbers(static_cast<std::int64_t>(parts.size()));
    if (!number) return fail(number.error());
    first_id = *number;
  }
  ContentColumns columns;
  columns.add_attachments(delivery, parts, first_id);
  session_.add(kDropInlineParts, Params() << delivery.key);
  columns.add_attachment_statement(session_, session_.now());
  return done_or(session_.add(kCountAttachments, Params() << delivery.key).fly());
}

Result<void> Changes::change_draft(DeliveryKey key, const DraftChange& change) {
  auto delivery = draft_for_change(session_, key);
  if (!delivery) return fail(delivery.error());
  if (change.inline_parts) {
    auto done = replace_inline_parts(*delivery, *change.inline_parts);
    if (!done) return done;
  }
  std::optional<std::string_view> from;
  std::optional<std::string_view> from_name;
  if (change.from) {
    from = change.from->address;
    from_name = change.from->name;
  }
  std::optional<std::string_view> reply;
  std::optional<std::string_view> reply_name;
  if (change.reply_to && *change.reply_to) {
    reply = (*change.reply_to)->address;
    reply_name = (*change.reply_to)->name;
  }
  std::string packed;
  std::optional<Octets> headers;
  if (change.headers) {
    packed = pack_headers(*change.headers);
    headers = Octets{packed};
  }
  std::optional<std::string> joined;
  if (change.tags) joined = joined_tags(*change.tags);
  return done_or(
      session_
          .add(kChangeLabels,
               Params() << key << text_of(joined) << text_of(change.list_id) << change.purpose)
          .add(kChangeContents, Params() << key << from << from_name << change.reply_to.has_value()
                                         << reply << reply_name << text_of(change.subject)
                                         << text_of(change.text_part) << text_of(change.html_part)
                                         << text_of(change.list_unsubscribe_mailto)
                                         << text_of(change.list_unsubscribe_url) << headers
                                         << change.list_unsubscribe_one_click)
          .add(kTouch, Params() << key << session_.now() << 0)
          .fly());
}

Result<std::vector<PublicId>> Changes::append_recipients(DeliveryKey key,
                                                         std::span<const NewRecipient> recipients) {
  const auto delivery = checked_draft(delivery_row(session_, key));
  if (!delivery) return fail(delivery.error());
  if (recipients.empty()) return std::vector<PublicId>();
  RecipientAppender appender(session_, *delivery);
  auto ids = appender.append(recipients);
  if (!ids) return ids;
  // The delivery's row comes last; if it is no draft any more, all of this is undone.
  const auto counted = session_.ask(kTouch, Params() << key << session_.now() << recipients.size());
  if (!counted) return fail(counted.error());
  if (counted->changes() == 0) {
    const auto now_it_is = checked_draft(delivery_row(session_, key));
    if (!now_it_is) return fail(now_it_is.error());
    return fail(ErrorKind::conflict, "the delivery is no draft any more");
  }
  return ids;
}

Result<void> Changes::clear_recipients(DeliveryKey key) {
  // Sections before deliveries; if it is no draft, all of this is undone.
  session_.add(kDiscardSections, Params() << key);
  const auto delivery = draft_for_change(session_, key);
  if (!delivery) return fail(delivery.error());
  return done_or(session_.add(kClearTotal, Params() << key << session_.now()).fly());
}

Result<void> Changes::change_recipient(const RecipientKey& key, const NewRecipient& recipient) {
  const auto found = draft_recipient(session_, key);
  if (!found) return fail(found.error());
  move_count(session_, *found, &recipient);
  auto may = check_found(draft_for_change(session_, key.delivery), *found);
  if (!may) return may;
  BatchRow batch = (*found)->batch;
  if (!batch.domain.empty() && recipient.domain != batch.domain) {
    session_.add(kWholeAddresses, Params() << batch.number << std::string_view(batch.domain))
        .add(kShareBatch, Params() << batch.number);
    batch.domain.clear();
  }
  std::string codes;
  auto packed = pack_codes(session_.dictionary(), recipient.insert_codes, codes);
  if (!packed) return packed;
  const auto blob = codes.empty() ? std::nullopt : std::optional(Octets{codes});
  const auto hash = std::bit_cast<std::int64_t>(session_.hash()(recipient.address));
  const auto done =
      session_
          .add(kChangeRecipient, Params() << batch.number << key.seq
                                          << stored_address(recipient.address, batch.domain) << hash
                                          << blob << session_.now())
          .add(kTouch, Params() << key.delivery << session_.now() << 0)
          .fly();
  if (!done) return fail(done.error());
  if ((*done)[done->size() - 2].changes() == 0) return no_draft_recipient();
  return {};
}

Result<void> Changes::remove_recipient(const RecipientKey& key) {
  return remove_if(&checked_draft, key);
}

Result<void> Changes::withdraw_recipient(const RecipientKey& key) {
  auto done = remove_if(&checked_not_begun, key);
  return done ? void_approval(key.delivery, std::nullopt) : done;
}

Result<void> Changes::remove_if(Result<Delivery> (*may_be)(Result<Delivery>),
                                const RecipientKey& key) {
  const auto found = draft_recipient(session_, key);
  if (!found) return fail(found.error());
  move_count(session_, *found, nullptr);
  auto may = check_found(may_be(locked_delivery(session_, key.delivery)), *found);
  if (!may) return may;
  const std::int64_t batch = (*found)->batch.number;
  const auto unmarked = session_.ask(kRemoveMarks, Params() << batch << key.seq);
  if (!unmarked) return fail(unmarked.error());
  const auto removed = session_.ask(kRemoveRecipient, Params() << batch << key.seq);
  if (!removed) return fail(removed.error());
  if (removed->changes() == 0) return no_draft_recipient();
  return done_or(session_.add(kCountRemoved, Params() << batch)
                     .add(kCountOff, Params() << key.delivery << session_.now())
                     .fly());
}

}  // namespace todoku::store::postgres
