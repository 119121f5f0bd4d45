// SPDX-License-Identifier: Apache-2.0
// Questions about recipients: the record itself and the story of what happened to it.
#include <limits>

#include <fmt/format.h>

#include "base/bytes.h"
#include "store/records.h"
#include "store/sqlite/keys.h"
#include "store/sqlite/queries.h"

namespace todoku::store::sqlite {

struct Queries::RecipientRow {
  std::string address;
  std::vector<InsertCode> codes;  // without what is attached
  Attached attached;
  Instant created{};
  Instant updated{};
};

Result<std::optional<BatchRow>> Queries::batch(std::int64_t number) {
  auto query = db_.query(
      "SELECT delivery, account, section, traffic, domain, first_email_id, capacity, size, removed,"
      " open, created, ready_at, token, holder FROM batches WHERE number = ?");
  query.bind(number);
  if (!query.next()) {
    if (query.failed()) return fail(query.error());
    return std::nullopt;
  }
  BatchRow row;
  row.number = number;
  row.delivery = query.integer(0);
  row.account = AccountKey{query.integer(1)};
  row.section = query.integer(2);
  row.traffic = static_cast<TrafficClass>(query.integer(3));
  row.domain = query.text(4);
  row.first_email_id = query.integer(5);
  row.capacity = query.integer(6);
  row.size = query.integer(7);
  row.removed = query.integer(8);
  row.open = query.integer(9);
  row.created = query.instant(10);
  row.ready_at = query.optional_instant(11);
  row.token = static_cast<std::uint64_t>(query.integer(12));
  row.holder = NodeKey{query.integer(13)};
  return row;
}

Result<bool> Queries::visible(const BatchRow& batch) {
  if (batch.section == 0) return true;
  auto query = db_.query("SELECT state FROM sections WHERE id = ?");
  query.bind(batch.section);
  const bool live = query.next() && query.integer(0) == kSectionLive;
  if (query.failed()) return fail(query.error());
  return live;
}

Result<std::optional<Queries::RecipientRow>> Queries::recipient_row_of(std::int64_t row,
                                                                       const BatchRow& batch) {
  auto query = db_.query("SELECT address, codes, created, updated FROM recipients WHERE id = ?");
  query.bind(row);
  if (!query.next()) {
    if (query.failed()) return fail(query.error());
    return std::nullopt;
  }
  RecipientRow recipient;
  recipient.address = full_address(query.text(0), batch.domain);
  auto codes = unpack_codes(dictionary_, query.blob(1));
  if (!codes) return fail(std::move(codes.error()));
  recipient.codes = std::move(*codes);
  recipient.attached = detach(recipient.codes);
  recipient.created = query.optional_instant(2).value_or(batch.created);
  recipient.updated = query.optional_instant(3).value_or(recipient.created);
  return recipient;
}

Result<Recipient> Queries::recipient(AccountKey account, PublicId email_id) {
  const auto none = [&] {
    return fail(ErrorKind::not_found, fmt::format("there is no recipient {}", email_id));
  };
  std::int64_t number = 0;
  {
    auto query = db_.query(
        "SELECT number FROM batches WHERE account = ? AND first_email_id <= ?"
        " ORDER BY first_email_id DESC LIMIT 1");
    query.bind(account, email_id);
    if (query.next()) number = query.integer(0);
    if (query.failed()) return fail(query.error());
  }
  const auto owner = batch(number);
  if (!owner) return fail(owner.error());
  if (!*owner || email_id - (*owner)->first_email_id >= (*owner)->size) return none();
  const auto shown = visible(**owner);
  if (!shown) return fail(shown.error());
  if (!*shown) return none();
  const auto delivery = delivery_row(DeliveryKey{(*owner)->delivery});
  if (!delivery) {
    if (delivery.error().kind == ErrorKind::not_found) return none();
    return fail(delivery.error());
  }
  const std::int64_t seq = email_id - (*owner)->first_email_id;
  auto row = recipient_row_of(recipient_row(number, seq), **owner);
  if (!row) return fail(std::move(row.error()));
  if (!*row) return none();

  Recipient recipient;
  const BatchKey key = batch_key((*owner)->delivery, number);
  recipient.key = {key.delivery, key.batch, static_cast<std::uint32_t>(seq)};
  recipient.id = email_id;
  recipient.delivery_id = delivery->id;
  recipient.delivery_type = delivery->type;
  recipient.delivery_status = delivery->status;
  recipient.address = std::move((*row)->address);
  recipient.insert_codes = std::move((*row)->codes);
  recipient.attached = std::move((*row)->attached);
  recipient.created = (*row)->created;
  recipient.updated = (*row)->updated;
  return recipient;
}

Result<void> Queries::add_content(DeliveryKey key, Story& story) {
  auto query =
      db_.query("SELECT subject, from_address, template <> 0 FROM contents WHERE delivery = ?");
  query.bind(key);
  if (query.next()) {
    story.subject = query.text(0);
    story.from = query.text(1);
    story.from_template = query.flag(2);
  }
  if (query.failed()) return fail(query.error());
  return {};
}

Result<std::optional<Story>> Queries::story_of(std::int64_t row, Told told) {
  const auto owner = batch(batch_of(row));
  if (!owner) return fail(owner.error());
  if (!*owner) return std::nullopt;
  const auto shown = visible(**owner);
  if (!shown) return fail(shown.error());
  if (!*shown) return std::nullopt;
  auto delivery = delivery_row(DeliveryKey{(*owner)->delivery});
  if (!delivery) {
    if (delivery.error().kind == ErrorKind::not_found) return std::nullopt;
    return fail(std::move(delivery.error()));
  }
  auto recipient = recipient_row_of(row, **owner);
  if (!recipient) return fail(std::move(recipient.error()));
  if (!*recipient) return std::nullopt;
  const auto owner_account = account(delivery->account);
  if (!owner_account) return fail(owner_account.error());

  Story story;
  story.account = owner_account->name;
  story.account_suspended = owner_account->suspended;
  story.delivery_paused = delivery->course == Course::paused;
  story.delivery_id = delivery->id;
  story.email_id = (*owner)->first_email_id + seq_of(row);
  story.type = delivery->type;
  story.purpose = purpose_of(delivery->labels.purpose, delivery->type);
  story.delivery_status = delivery->status;
  story.failure_reason = delivery->failure_reason;
  story.address = std::move((*recipient)->address);
  story.attached = std::move((*recipient)->attached);
  story.created = (*recipient)->created;
  story.reservation = delivery->reservation;
  story.started = delivery->started;
  story.expires = delivery->expires;
  const BatchKey key = batch_key((*owner)->delivery, batch_of(row));
  story.key = {key.delivery, key.batch, static_cast<std::uint32_t>(seq_of(row))};
  story.signing = delivery->signing;
  story.at_most_once = delivery->at_most_once;
  story.in_hand = (*owner)->holder != kNobody;
  if (!story.in_hand) story.not_before = (*owner)->ready_at;
  if (delivery->type == DeliveryType::smtp) {
    auto held =
        db_.query("SELECT credential FROM deliveries d WHERE key = ? AND " CREDENTIAL_IS_HELD);
    held.bind(delivery->key);
    if (held.next()) story.credential_held = held.text(0);
    if (held.failed()) return fail(held.error());
  }
  if (told == Told::all) {
    auto added = add_content(delivery->key, story);
    if (!added) return fail(std::move(added.error()));
  }
  // A delivery that failed as a whole took all its recipients with it.
  if (delivery->status == DeliveryStatus::failed) story.state = RecipientState::cancelled;
  auto query = db_.query(
      "SELECT info, due, history, (SELECT aside FROM suspects WHERE recipient = id)"
      " FROM progress WHERE id = ?");
  query.bind(row);
  if (query.next()) {
    story.state = static_cast<RecipientState>(query.integer(0) & 7);
    story.set_aside = !query.is_null(3) && !is_terminal(story.state);
    story.due = query.optional_instant(1);
    auto attempts = unpack_history(dictionary_, query.blob(2));
    if (!attempts) return fail(std::move(attempts.error()));
    tell_history(story, std::move(*attempts));
  }
  if (query.failed()) return fail(query.error());
  story.state = state_in(delivery->course, story.state, story.in_hand);
  auto way = db_.query("SELECT 1 FROM on_its_way WHERE recipient = ?");
  way.bind(row);
  story.on_its_way = way.next() && !is_terminal(story.state);
  if (way.failed()) return fail(way.error());
  return story;
}

Result<Story> Queries::story(const RecipientKey& key) {
  auto story = story_of(recipient_row(key));
  if (!story) return fail(std::move(story.error()));
  if (!*story) return fail(ErrorKind::not_found, "there is no such recipient");
  return std::move(**story);
}

namespace {

// Of other accounts, of deleted deliveries, or of another one with the same hash: what is found
// need not be told, so more is looked at than wanted, but not much more.
constexpr std::size_t kCandidatesMax = 2'000;

}  // namespace

Result<StoryPage> Queries::stories(std::string_view address, std::optional<AccountKey> account,
                                   std::int64_t limit, std::optional<std::int64_t> from) {
  const auto found = find_address(
      db_, hash_, address, from.value_or(std::numeric_limits<std::int64_t>::max()), kCandidatesMax);
  if (!found) return fail(found.error());
  return stories_among(*found, account, limit, [&](const Story& story) {
    return equals_ignoring_case(story.address, address);
  });
}

Result<StoryPage> Queries::marked_stories(const Mark& mark, std::optional<AccountKey> account,
                                          std::int64_t limit, std::optional<std::int64_t> from) {
  const auto found = find_mark(
      db_, hash_, mark, from.value_or(std::numeric_limits<std::int64_t>::max()), kCandidatesMax);
  if (!found) return fail(found.error());
  if (mark.kind == MarkKind::reference) account = mark.account;
  return stories_among(*found, account, limit,
                       [&](const Story& story) { return has_mark(story.attached, mark); });
}

// The index may be stale, and two of what is looked for may share a hash: `is_it` says whether a
// story is wanted.
Result<StoryPage> Queries::stories_among(const AddressMatches& found,
                                         std::optional<AccountKey> account, std::int64_t limit,
                                         const std::function<bool(const Story&)>& is_it) {
  StoryPage page;
  page.next = found.next;
  for (const std::int64_t row : found.rows) {
    if (static_cast<std::int64_t>(page.stories.size()) >= limit) {
      page.next = row + 1;
      break;
    }
    if (account) {
      const auto owner = batch(batch_of(row));
      if (!owner) return fail(owner.error());
      if (!*owner || (*owner)->account != *account) continue;
    }
    auto story = story_of(row);
    if (!story) return fail(std::move(story.error()));
    if (!*story || !is_it(**story)) continue;
    page.stories.push_back(std::move(**story));
  }
  return page;
}

}  // namespace todoku::store::sqlite
