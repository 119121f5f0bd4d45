// SPDX-License-Identifier: Apache-2.0
// Questions about recipients: the record itself and the story of what happened to it. One statement
// each, whatever is joined.
#include <bit>
#include <limits>

#include <fmt/format.h>

#include "base/bytes.h"
#include "store/postgres/marks.h"
#include "store/postgres/rows.h"
#include "store/postgres/transactions.h"
#include "store/records.h"

namespace todoku::store::postgres {
namespace {

#define VISIBLE                                                                        \
  " LEFT JOIN sections s ON s.id = b.section WHERE (b.section IS NULL OR s.state = 1)" \
  " AND d.deleted = 0"
// The batch that has an email id is the one that begins at or before it.
const Sql kRecipient{
    "recipients: one",
    "SELECT b.number, b.delivery, d.id, d.status, b.domain, r.seq, r.address, r.codes,"
    " coalesce(r.created, b.created), coalesce(r.updated, r.created, b.created), d.type"
    " FROM (SELECT * FROM batches WHERE account = $1 AND first_email_id <= $2"
    " ORDER BY first_email_id DESC LIMIT 1) b"
    " JOIN recipients r ON r.batch = b.number AND r.seq = $2 - b.first_email_id"
    " JOIN deliveries d ON d.key = b.delivery" VISIBLE};

#define STORY_COLUMNS                                                                            \
  "SELECT r.batch, r.seq, b.delivery, b.domain, r.address, a.name, d.id, b.first_email_id,"      \
  " d.type, d.status, c.subject, c.from_address, coalesce(r.created, b.created), d.reservation," \
  " d.started, d.expires, d.signing, b.holder, b.ready_at, p.state, p.due, p.history,"           \
  " x.aside IS NOT NULL, a.suspended, d.at_most_once, w.seq IS NOT NULL, d.course,"              \
  " d.failure_reason, CASE WHEN " CREDENTIAL_IS_HELD                                             \
  " THEN d.credential ELSE '' END,"                                                              \
  " d.purpose, " ATTACHED_CODES("r") ", coalesce(c.template, 0) <> 0 FROM "
#define STORY_JOINS                                                                  \
  " JOIN batches b ON b.number = r.batch JOIN deliveries d ON d.key = b.delivery"    \
  " JOIN accounts a ON a.key = d.account LEFT JOIN contents c ON c.delivery = d.key" \
  " LEFT JOIN progress p ON p.batch = r.batch AND p.seq = r.seq"                     \
  " LEFT JOIN suspects x ON x.batch = r.batch AND x.seq = r.seq"                     \
  " LEFT JOIN on_its_way w ON w.batch = r.batch AND w.seq = r.seq" VISIBLE
const Sql kStory{"recipients: story", STORY_COLUMNS
                 "(SELECT * FROM recipients WHERE batch = $1 AND seq = $2) r" STORY_JOINS
                 " AND b.delivery = $3"};
// Who has this hash, newest first; and of the first of them what there is to tell.
const Sql kCandidates{"recipients: candidates",
                      "SELECT batch, seq FROM recipients WHERE hash = $1"
                      " AND (batch, seq) < ($2, $3) ORDER BY batch DESC, seq DESC LIMIT $4"};
#define MARKED(column)                                   \
  "SELECT batch, seq FROM recipient_marks WHERE " column \
  " = $1 AND (batch, seq) < ($2, $3)"                    \
  " ORDER BY batch DESC, seq DESC LIMIT $4"
const Sql kReferredCandidates{"recipients: of a reference", MARKED("reference")};
const Sql kMessageIdCandidates{"recipients: of a Message-ID", MARKED("message_id")};
const Sql kStories{"recipients: stories", STORY_COLUMNS
                   "unnest($1::bigint[], $2::bigint[]) u(batch, seq)"
                   " JOIN recipients r ON r.batch = u.batch AND r.seq = u.seq" STORY_JOINS
                   " AND b.account = coalesce($3, b.account)"
                   " ORDER BY r.batch DESC, r.seq DESC LIMIT $4"};

// Of email ids: each is in the batch that begins at or before it.
const Sql kLogStories{
    "logs: stories", STORY_COLUMNS
    "(SELECT x.* FROM unnest($1::bigint[]) u(id) CROSS JOIN LATERAL (SELECT number, first_email_id"
    " FROM batches WHERE account = $2 AND first_email_id <= u.id ORDER BY first_email_id DESC"
    " LIMIT 1) e CROSS JOIN LATERAL (SELECT * FROM recipients WHERE batch = e.number"
    " AND seq = u.id - e.first_email_id OFFSET 0) x) r" STORY_JOINS
    " ORDER BY b.first_email_id DESC, r.seq DESC"};

Result<Story> story_in(const Table& rows, int row) {
  Story story;
  const BatchKey key = batch_key(rows.integer(row, 2), rows.integer(row, 0));
  const std::int64_t seq = rows.integer(row, 1);
  story.key = {key.delivery, key.batch, static_cast<std::uint32_t>(seq)};
  story.address = full_address(rows.text(row, 4), rows.text(row, 3));
  story.attached = attached_in(rows.text(row, 30));
  story.account = rows.text(row, 5);
  story.account_suspended = rows.flag(row, 23);
  story.at_most_once = rows.flag(row, 24);
  story.on_its_way = rows.flag(row, 25);
  const auto course = static_cast<Course>(rows.integer(row, 26));
  story.delivery_paused = course == Course::paused;
  story.failure_reason = rows.text(row, 27);
  story.credential_held = rows.text(row, 28);
  story.delivery_id = rows.integer(row, 6);
  story.email_id = rows.integer(row, 7) + seq;
  story.type = static_cast<DeliveryType>(rows.integer(row, 8));
  story.purpose = purpose_of(static_cast<Purpose>(rows.integer(row, 29)), story.type);
  story.delivery_status = static_cast<DeliveryStatus>(rows.integer(row, 9));
  story.subject = rows.text(row, 10);
  story.from = rows.text(row, 11);
  story.from_template = rows.flag(row, 31);
  story.created = rows.instant(row, 12);
  story.reservation = rows.optional_instant(row, 13);
  story.started = rows.optional_instant(row, 14);
  story.expires = rows.optional_instant(row, 15);
  story.signing = rows.text(row, 16);
  story.in_hand = NodeKey{rows.integer(row, 17)} != kNobody;
  if (!story.in_hand) story.not_before = rows.optional_instant(row, 18);
  // A delivery that failed as a whole took all its recipients with it.
  if (story.delivery_status == DeliveryStatus::failed) story.state = RecipientState::cancelled;
  if (rows.null(row, 19)) {
    story.state = state_in(course, story.state, story.in_hand);
    return story;
  }
  story.state = state_in(course, static_cast<RecipientState>(rows.integer(row, 19)), story.in_hand);
  story.due = rows.optional_instant(row, 20);
  NoDictionary dictionary;
  auto attempts = unpack_history(dictionary, rows.text(row, 21));
  if (!attempts) return fail(std::move(attempts.error()));
  tell_history(story, std::move(*attempts));
  story.set_aside = rows.flag(row, 22) && !is_terminal(story.state);
  story.on_its_way = story.on_its_way && !is_terminal(story.state);
  return story;
}

// A place among the candidates: batch and seq in one number, as the engine walks them.
constexpr std::int64_t kSeqs = 512;
static_assert(kSeqs > kBatchRecipientsMax);

// Of other accounts, of deleted deliveries, or of another one with the same hash: what is found
// need not be told, so more is looked at than wanted, but not much more.
constexpr std::int64_t kCandidatesMax = 2'000;

// Of who was found by `candidates`, those that `is_it`: two of what is looked for may share a hash.
template <class IsIt>
Result<StoryPage> stories_among(Session& session, const Sql& candidates, std::uint64_t hash,
                                std::optional<AccountKey> account, std::int64_t limit,
                                std::optional<std::int64_t> from, const IsIt& is_it) {
  const std::int64_t below = from.value_or(std::numeric_limits<std::int64_t>::max());
  const auto found =
      session.ask(candidates, Params() << std::bit_cast<std::int64_t>(hash) << below / kSeqs
                                       << below % kSeqs << kCandidatesMax);
  if (!found) return fail(found.error());
  StoryPage page;
  if (found->empty()) return page;
  const int last = found->size() - 1;
  if (found->size() >= kCandidatesMax) {
    page.next = found->integer(last, 0) * kSeqs + found->integer(last, 1);
  }
  Column batches(kInt8);
  Column seqs(kInt8);
  for (int i = 0; i <= last; ++i) {
    batches.add(found->integer(i, 0));
    seqs.add(found->integer(i, 1));
  }
  const auto rows = session.ask(kStories, Params() << batches << seqs << account << limit + 1);
  if (!rows) return fail(rows.error());
  for (int i = 0; i < rows->size(); ++i) {
    if (static_cast<std::int64_t>(page.stories.size()) >= limit) {
      page.next = rows->integer(i, 0) * kSeqs + rows->integer(i, 1) + 1;
      break;
    }
    auto story = story_in(*rows, i);
    if (!story) return fail(std::move(story.error()));
    if (is_it(*story)) page.stories.push_back(std::move(*story));
  }
  return page;
}

}  // namespace

Result<Recipient> Questions::recipient(AccountKey account, PublicId email_id) {
  const auto rows = session_.ask(kRecipient, Params() << account << email_id);
  if (!rows) return fail(rows.error());
  if (rows->empty()) {
    return fail(ErrorKind::not_found, fmt::format("there is no recipient {}", email_id));
  }
  Recipient recipient;
  const BatchKey key = batch_key(rows->integer(0, 1), rows->integer(0, 0));
  recipient.key = {key.delivery, key.batch, static_cast<std::uint32_t>(rows->integer(0, 5))};
  recipient.id = email_id;
  recipient.delivery_id = rows->integer(0, 2);
  recipient.delivery_type = static_cast<DeliveryType>(rows->integer(0, 10));
  recipient.delivery_status = static_cast<DeliveryStatus>(rows->integer(0, 3));
  recipient.address = full_address(rows->text(0, 6), rows->text(0, 4));
  auto codes = unpack_codes(session_.dictionary(), rows->text(0, 7));
  if (!codes) return fail(std::move(codes.error()));
  recipient.insert_codes = std::move(*codes);
  recipient.attached = detach(recipient.insert_codes);
  recipient.created = rows->instant(0, 8);
  recipient.updated = rows->instant(0, 9);
  return recipient;
}

Result<Story> Questions::story(const RecipientKey& key) {
  const auto rows =
      session_.ask(kStory, Params() << batch_number(key.batch_key()) << key.seq << key.delivery);
  if (!rows) return fail(rows.error());
  if (rows->empty()) return fail(ErrorKind::not_found, "there is no such recipient");
  return story_in(*rows, 0);
}

Result<std::vector<Story>> Questions::log_stories(AccountKey account,
                                                  std::span<const PublicId> ids) {
  Column wanted(kInt8);
  for (const PublicId id : ids) wanted.add(id);
  const auto rows = session_.ask(kLogStories, Params() << wanted << account);
  if (!rows) return fail(rows.error());
  std::vector<Story> stories;
  for (int i = 0; i < rows->size(); ++i) {
    auto story = story_in(*rows, i);
    if (!story) return fail(std::move(story.error()));
    stories.push_back(std::move(*story));
  }
  return stories;
}

Result<StoryPage> Questions::stories(std::string_view address, std::optional<AccountKey> account,
                                     std::int64_t limit, std::optional<std::int64_t> from) {
  return stories_among(
      session_, kCandidates, session_.hash()(address), account, limit, from,
      [&](const Story& story) { return equals_ignoring_case(story.address, address); });
}

Result<StoryPage> Questions::marked_stories(const Mark& mark, std::optional<AccountKey> account,
                                            std::int64_t limit, std::optional<std::int64_t> from) {
  const bool is_reference = mark.kind == MarkKind::reference;
  if (is_reference) account = mark.account;
  return stories_among(session_, is_reference ? kReferredCandidates : kMessageIdCandidates,
                       hash_of(session_.hash(), mark), account, limit, from,
                       [&](const Story& story) { return has_mark(story.attached, mark); });
}

}  // namespace todoku::store::postgres
