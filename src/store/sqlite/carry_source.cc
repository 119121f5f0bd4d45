// SPDX-License-Identifier: Apache-2.0
// Where a SQLite store differs from the form in which rows are carried, which is PostgreSQL's:
//
//   recipients, progress, suspects, on_its_way   one row id is (batch, seq) (keys.h)
//   recipients.hash        is kept apart, in an index (address_index.h): made here
//   recipient_marks        likewise: made here of what is attached among the codes
//   recipients.codes, progress.history   values that repeat stand in a dictionary: put in place
//   progress.info          is state and attempts
//   deliveries.phase       NULL for mail that was accepted as a transaction: made here. What was a
//                          draft is of another type, has not begun to be sent, or has sections.
//   contents.header_to, header_cc   may be NULL in old rows
//   suppressions.hash, domain   follow from the subject: made here
//   sts_policies, tls_counts   are fetched, and counted, again: not carried
//   delivery_outcomes, hourly_outcomes   are counted anew: not carried
//   lane_paces             is learnt again: not carried
//   rate_counts, rate_states   are counted again: not carried (deliveries that are paused are)
//   probes                 are asked for again: not carried
//   export_jobs            are made again by who wants them: not carried
//   meta 'next_number'     counts deliveries, batches, people and sign-ins; other ids are row ids
//   a recipient whose batch is gone is not carried: nothing leads to it
#include "store/sqlite/carry_source.h"

#include <array>
#include <bit>
#include <utility>

#include <fmt/format.h>

#include "base/check.h"
#include "store/address_hash.h"
#include "store/records.h"
#include "store/sqlite/address_index.h"
#include "store/sqlite/keys.h"

namespace todoku::store {

using namespace sqlite;  // NOLINT(google-build-using-namespace): its own parts

namespace {

struct CarriedQuery {
  std::string_view table;
  Sql sql;  // its columns are those of the table, but where shape() says otherwise
};

constexpr std::array<CarriedQuery, 49> kCarriedQueries{{
    {"settings", "SELECT name, value FROM settings WHERE name <> 'carried_to' ORDER BY name"},
    {"accounts",
     "SELECT key, name, weight, suspended, text_from_html, created, next_delivery_id,"
     " next_email_id, next_job_id, requests_per_minute, mails_per_minute, mails_per_day,"
     " mails_per_month, open_tracking, preflight, told_of_day, told_of_month, sandbox,"
     " allowed_recipients FROM accounts ORDER BY key"},
    {"api_keys",
     "SELECT id, account, label, token, created, revoked, scopes, networks, expires, life,"
     " used, made_by FROM api_keys ORDER BY id"},
    {"dkim_keys",
     "SELECT account, domain, selector, algorithm, sealed, dns_record, created FROM dkim_keys"
     " ORDER BY account, domain, selector"},
    {"domains",
     "SELECT account, domain, token, state, vouched, consents, created, proven, answered, failing,"
     " failed_for, look_at, check_at, check_found FROM domains ORDER BY account, domain"},
    {"mail_counts",
     "SELECT account, day, node, mails FROM mail_counts ORDER BY account, day, node"},
    {"deliveries",
     "SELECT key, account, id, type, traffic, status, CASE WHEN traffic = 1 OR status <= 4"
     " OR EXISTS (SELECT 1 FROM sections s WHERE s.delivery = d.key) THEN status END, deleted,"
     " at_most_once, created, updated, reservation, started, expires, finished, agenda, total,"
     " delivered, bounced, dropped, expired, cancelled, unknown, deferred, signing, failure_reason,"
     " purpose, list_id, tags, life, course, credential"
     " FROM deliveries d ORDER BY key"},
    {"contents",
     "SELECT delivery, from_address, from_name, reply_address, reply_name,"
     " coalesce(header_to, x''), coalesce(header_cc, x''), encode, unsubscribe_mailto,"
     " unsubscribe_url, attachments, subject, text_part, html_part, text_from_html,"
     " open_tracking, headers, envelope, one_click, escaping, template, template_version"
     " FROM contents ORDER BY delivery"},
    {"attachments",
     "SELECT id, delivery, file_name, mime_type, size, created, data, content_id, relayed"
     " FROM attachments ORDER BY id"},
    {"relayed",  // what no delivery names lives in a process
     "SELECT key, 0, octets, pieces, touched, delivery, gone FROM relayed"
     " WHERE delivery <> 0 AND gone = 0 ORDER BY key"},
    {"relayed_pieces",
     "SELECT p.relayed, p.which, p.data FROM relayed r JOIN relayed_pieces p ON p.relayed = r.key"
     " WHERE r.delivery <> 0 AND r.gone = 0 ORDER BY p.relayed, p.which"},
    {"sections", "SELECT id, delivery, state, open_batch, domains FROM sections ORDER BY id"},
    {"domain_counts",
     "SELECT section, domain, recipients FROM domain_counts ORDER BY section, domain"},
    {"batches",
     "SELECT number, delivery, account, section, traffic, domain, first_email_id, capacity, size,"
     " removed, open, created, ready_at, token, holder, losses, alone, begun, underway, doubted,"
     " lost_at, late_until FROM batches"
     " ORDER BY number"},
    {"recipients", "SELECT id, address, codes, created, updated FROM recipients ORDER BY id"},
    {"recipient_marks", "SELECT id, codes FROM recipients WHERE codes IS NOT NULL ORDER BY id"},
    {"progress", "SELECT id, info, due, history FROM progress ORDER BY id"},
    {"suspects", "SELECT recipient, deaths, aside FROM suspects ORDER BY recipient"},
    {"on_its_way", "SELECT recipient FROM on_its_way ORDER BY recipient"},
    {"event_sheets", "SELECT account, place, at, entries FROM event_sheets ORDER BY place"},
    {"usages", "SELECT account, month, slot, mails, updated FROM usages ORDER BY account, month"},
    {"not_sent", "SELECT account, state, id, code FROM not_sent ORDER BY account, state, id"},
    {"opens",
     "SELECT account, id, opened, opened_last, times, prefetched, prefetched_last,"
     " complained FROM opens ORDER BY account, id"},
    {"open_counts", "SELECT delivery, opened, prefetched FROM open_counts ORDER BY delivery"},
    {"import_jobs",
     "SELECT account, id, delivery, section, status, ignore_errors, immediate, keep_duplicates,"
     " language, percentage, staged, folded, success, failed, total, upload_file, error_file,"
     " created, node, form, dry_run, findings, dry_file, asked_by, asked_person FROM import_jobs"
     " ORDER BY account, id"},
    {"event_readers",  // nobody reads on the way
     "SELECT name, 0, state FROM event_readers ORDER BY name"},
    {"webhooks",  // nobody tells them on the way
     "SELECT name, account, form, status, shown, sealed, wishes, state, 0, turn, created, changed"
     " FROM webhooks ORDER BY name"},
    {"webhook_set_aside",
     "SELECT webhook, event, at FROM webhook_set_aside ORDER BY webhook, event"},
    {"smtp_credentials",
     "SELECT name, account, settings, secret, previous_secret, previous_until, created, revoked,"
     " uid, held, held_because, released, used FROM smtp_credentials ORDER BY name"},
    {"template_ids", "SELECT account, last, octets FROM template_ids ORDER BY account"},
    {"templates",
     "SELECT account, id, name, latest, created, updated FROM templates ORDER BY account, id"},
    {"template_versions",
     "SELECT account, template, version, created, octets, content FROM template_versions"
     " ORDER BY account, template, version"},
    {"smtp_habits", "SELECT name, habits FROM smtp_habits ORDER BY name"},
    {"people", "SELECT " PERSON_COLUMNS " FROM people ORDER BY key"},
    {"sign_ins", "SELECT " SIGN_IN_COLUMNS " FROM sign_ins ORDER BY key"},
    {"sign_in_links",
     "SELECT token, purpose, person, created, ends FROM sign_in_links ORDER BY token"},
    {"sign_in_rules",
     "SELECT account, second_factor, networks, approval FROM sign_in_rules ORDER BY account"},
    {"kept_texts", "SELECT person, place, kept, body FROM kept_texts ORDER BY person, place"},
    {"kept_answers",
     "SELECT key, account, route, fingerprint, answer, until FROM kept_answers"
     " ORDER BY key, account, route"},
    {"suppressions",
     "SELECT 0, account, subject, reason, list_id, scope, stopping, errors, note, code, words,"
     " error_at, delivery, email, expires, created, updated, subject LIKE '@%' FROM suppressions"
     " ORDER BY id"},
    {"suppression_removals",
     "SELECT key, account, subject, reason, list_id, why, actor, at FROM suppression_removals"
     " ORDER BY key"},
    {"audit",
     "SELECT key, at, actor, action, account, delivery, email, hash, origin FROM audit"
     " ORDER BY key"},
    {"domain_reports",
     "SELECT account, domain, day, id, kind, organization, reported, policy, begins, ends, "
     "messages,"
     " received FROM domain_reports ORDER BY account, domain, day, id"},
    {"report_lines",
     "SELECT account, domain, day, words, messages, failed FROM report_lines"
     " ORDER BY account, domain, day, words"},
    {"key_slots",
     "SELECT account, domain, revision, look, state FROM key_slots ORDER BY account, domain"},
    {"warm_up", "SELECT source, day, site, taken FROM warm_up ORDER BY source, day, site"},
    {"steering",
     "SELECT delivery, revision, mails, minutes, quiet_from, quiet_until, zone, goes_from,"
     " goes_until, used_to FROM steering ORDER BY delivery"},
    {"resends", "SELECT delivery, account, email FROM resends ORDER BY delivery"},
    {"approvals",
     "SELECT delivery, account, state, revision, asked_by, asked_person, asked, lapses, decided_by,"
     " decided_person, decided, reason FROM approvals ORDER BY delivery"},
}};

Result<std::string> in_place_codes(store::Dictionary& kept, std::string_view codes) {
  const auto unpacked = unpack_codes(kept, codes);
  if (!unpacked) return fail(unpacked.error());
  NoDictionary none;
  std::string packed;
  auto done = pack_codes(none, *unpacked, packed);
  if (!done) return fail(std::move(done.error()));
  return packed;
}

Result<std::string> in_place_history(store::Dictionary& kept, std::string_view history) {
  const auto attempts = unpack_history(kept, history);
  if (!attempts) return fail(attempts.error());
  NoDictionary none;
  std::string packed;
  for (const Attempt& attempt : *attempts) {
    auto done = append_history(none,
                               {.at = attempt.at,
                                .duration = attempt.duration,
                                .state = attempt.outcome.state,
                                .outcome = attempt.outcome,
                                .path = attempt.path},
                               packed);
    if (!done) return fail(std::move(done.error()));
  }
  return packed;
}

}  // namespace

// Makes carried rows of SQLite's; one for each walk through a table.
class SqliteCarrySource::Shaper {
 public:
  Shaper(SqliteCarrySource& source, const CarriedTable& table, const AddressHash& hash)
      : source_(source), table_(table), hash_(hash), row_(table.columns.size()) {}

  // nullopt: it is not carried.
  Result<std::optional<CarriedRow>> shape(Query& query) {
    if (table_.name == "recipients") return recipient(query);
    if (table_.name == "recipient_marks") return marks(query);
    if (table_.name == "progress") return progress(query);
    if (table_.name == "suspects") {
      place(query.integer(0));
      row_[2] = CarriedValue::of(query.integer(1));
      row_[3] = plain(query, 2, CarriedKind::integer);
      return row_;
    }
    if (table_.name == "on_its_way") {
      place(query.integer(0));
      return row_;
    }
    for (std::size_t column = 0; column < row_.size(); ++column) {
      row_[column] = plain(query, static_cast<int>(column), table_.columns[column].kind);
    }
    if (table_.name == "suppressions") {
      row_[0] = CarriedValue::of(std::bit_cast<std::int64_t>(stop_hash(hash_, query.text(2))));
    }
    return row_;
  }

 private:
  static CarriedValue plain(Query& query, int column, CarriedKind kind) {
    if (query.is_null(column)) return CarriedValue::null();
    switch (kind) {
      case CarriedKind::integer:
        return CarriedValue::of(query.integer(column));
      case CarriedKind::text:
        return CarriedValue::of(query.text(column));
      case CarriedKind::octets:
        return CarriedValue::of(query.blob(column));
    }
    return CarriedValue::null();
  }

  void place(std::int64_t id) {
    row_[0] = CarriedValue::of(batch_of(id));
    row_[1] = CarriedValue::of(static_cast<std::int64_t>(seq_of(id)));
  }

  // False: that batch is gone.
  Result<bool> enter_batch(std::int64_t number) {
    if (batch_ == number) return there_;
    batch_ = number;
    auto query = source_.db_->query("SELECT domain, account FROM batches WHERE number = ?");
    query.bind(number);
    there_ = query.next();
    if (there_) {
      domain_ = query.text(0);
      account_ = AccountKey{query.integer(1)};
    }
    if (query.failed()) return fail(query.error());
    return there_;
  }

  Result<std::optional<CarriedRow>> recipient(Query& query) {
    const std::int64_t id = query.integer(0);
    const auto there = enter_batch(batch_of(id));
    if (!there) return fail(there.error());
    if (!*there) return std::nullopt;
    place(id);
    const std::string_view address = query.text(1);
    row_[2] = CarriedValue::of(address);
    full_ = full_address(address, domain_);
    row_[3] = CarriedValue::of(std::bit_cast<std::int64_t>(hash_(full_)));
    row_[4] = CarriedValue::null();
    if (!query.is_null(2)) {
      auto codes = in_place_codes(source_.dictionary_, query.blob(2));
      if (!codes) return told(id, std::move(codes.error()));
      packed_ = std::move(*codes);
      row_[4] = CarriedValue::of(std::string_view(packed_));
    }
    row_[5] = plain(query, 3, CarriedKind::integer);
    row_[6] = plain(query, 4, CarriedKind::integer);
    return row_;
  }

  Result<std::optional<CarriedRow>> marks(Query& query) {
    const std::int64_t id = query.integer(0);
    const auto there = enter_batch(batch_of(id));
    if (!there) return fail(there.error());
    if (!*there) return std::nullopt;
    const std::vector<Mark> marks = marks_of(attached_in(query.blob(1)), account_);
    if (marks.empty()) return std::nullopt;
    place(id);
    row_[2] = row_[3] = CarriedValue::null();
    for (const Mark& mark : marks) {
      row_[mark.kind == MarkKind::reference ? 2 : 3] =
          CarriedValue::of(std::bit_cast<std::int64_t>(hash_of(hash_, mark)));
    }
    return row_;
  }

  Result<std::optional<CarriedRow>> progress(Query& query) {
    const std::int64_t id = query.integer(0);
    const auto there = enter_batch(batch_of(id));
    if (!there) return fail(there.error());
    if (!*there) return std::nullopt;
    place(id);
    const std::int64_t info = query.integer(1);
    row_[2] = CarriedValue::of(info & 7);
    row_[3] = CarriedValue::of(info >> 3);
    row_[4] = plain(query, 2, CarriedKind::integer);
    auto history = in_place_history(source_.dictionary_, query.blob(3));
    if (!history) return told(id, std::move(history.error()));
    packed_ = std::move(*history);
    row_[5] = CarriedValue::of(std::string_view(packed_));
    return row_;
  }

  static std::unexpected<Error> told(std::int64_t id, Error error) {
    return fail(fmt::format("recipient {} of batch {}", seq_of(id), batch_of(id)),
                std::move(error));
  }

  SqliteCarrySource& source_;
  const CarriedTable& table_;
  const AddressHash& hash_;
  std::vector<CarriedValue> row_;
  std::optional<std::int64_t> batch_;
  bool there_ = false;
  std::string domain_;
  AccountKey account_{};
  std::string full_;
  std::string packed_;
};

SqliteCarrySource::SqliteCarrySource(std::unique_ptr<SqliteStore> store,
                                     std::unique_ptr<Connection> db, std::string to)
    : store_(std::move(store)), db_(std::move(db)), dictionary_(*db_), to_(std::move(to)) {}

Result<std::unique_ptr<SqliteCarrySource>> SqliteCarrySource::open(const Options& options) {
  SqliteStore::Options how;
  how.path = options.path;
  how.clock = options.clock;
  how.lock_wait = options.lock_wait;
  how.may_begin = false;
  auto store = SqliteStore::open(how);
  if (!store) return fail(std::move(store.error()));
  auto db = Connection::open({.path = options.path.string(),
                              .vfs = {},
                              .access = Connection::Access::reads,
                              .cache_kib = how.writer_cache_kib});
  if (!db) return fail(std::move(db.error()));
  std::unique_ptr<SqliteCarrySource> source(
      new SqliteCarrySource(std::move(*store), std::move(*db), options.to));
  auto done = source->no_import_runs();
  if (done) done = source->end_leases();
  if (!done) return fail(std::move(done.error()));
  return source;
}

// Its list is in the hands of the engine that took it, half-way.
Result<void> SqliteCarrySource::no_import_runs() {
  auto query = db_->query(
      "SELECT a.name, j.id, d.id FROM import_jobs j JOIN accounts a ON a.key = j.account"
      " JOIN deliveries d ON d.key = j.delivery WHERE j.status = 1 LIMIT 1");
  if (query.next()) {
    return fail(ErrorKind::conflict,
                fmt::format("an import is under way (account {}, job {}, delivery {}): start the "
                            "engine on SQLite once more, let the import end, and stop it",
                            query.text(0), query.integer(1), query.integer(2)));
  }
  if (query.failed()) return fail(query.error());
  return {};
}

// The lock says that whoever held something is gone.
Result<void> SqliteCarrySource::end_leases() {
  constexpr std::int64_t kAtOnce = 500;
  const auto write = [&](auto work) {
    return store_->write_and_wait(WritePriority::claims, std::move(work));
  };
  const auto nodes = store_->read_and_wait([](ReadTransaction& t) { return t.nodes(); });
  if (!nodes) return fail(nodes.error());
  for (const Node& node : *nodes) {
    if (node.is_void) continue;
    const auto successor = write([&](WriteTransaction& t) {
      return t.enter_node({.name = node.name, .roles = "carry", .version = {}});
    });
    if (!successor) return fail(successor.error());
    auto left = write([&](WriteTransaction& t) { return t.leave_node(*successor); });
    if (!left) return left;
  }
  for (const Node& node : *nodes) {
    for (bool more = true; more;) {
      const auto offered =
          write([&](WriteTransaction& t) { return t.offer_again(node.key, kAtOnce); });
      if (!offered) return fail(offered.error());
      more = offered->more;
    }
  }
  const auto held = db_->integer("SELECT count(*) FROM batches WHERE holder <> 0");
  if (!held) return fail(held.error());
  if (*held == 0) return {};
  return fail(ErrorKind::corrupt,
              fmt::format("{} batches are held by nodes that are not there", *held));
}

Result<CarriedHead> SqliteCarrySource::head() {
  CarriedHead head;
  auto query = db_->query("SELECT value FROM meta WHERE name = 'address_secret'");
  if (query.next()) head.address_secret = query.blob(0);
  if (query.failed()) return fail(query.error());
  if (!AddressHash::from_secret(head.address_secret)) {
    return fail(ErrorKind::corrupt, "the database has lost the secret of its address index");
  }
  const auto next = db_->integer(
      "SELECT max((SELECT value FROM meta WHERE name = 'next_number'),"
      " (SELECT coalesce(max(key), 0) + 1 FROM accounts),"
      " (SELECT coalesce(max(id), 0) + 1 FROM api_keys),"
      " (SELECT coalesce(max(id), 0) + 1 FROM attachments),"
      " (SELECT coalesce(max(id), 0) + 1 FROM sections),"
      " (SELECT coalesce(max(key), 0) + 1 FROM suppression_removals))");
  if (!next) return fail(next.error());
  head.next_number = *next;
  const auto generation = db_->integer("SELECT value FROM meta WHERE name = 'event_generation'");
  if (!generation) return fail(generation.error());
  head.event_generation = *generation;
  const auto kept = db_->integer("SELECT value FROM meta WHERE name = 'events_kept_from'");
  if (!kept) return fail(kept.error());
  head.events_kept_from = *kept;
  return head;
}

Result<void> SqliteCarrySource::read(const CarriedTable& table, const EachRow& each) {
  const auto hash = load_address_hash(*db_);
  if (!hash) return fail(hash.error());
  for (const CarriedQuery& wanted : kCarriedQueries) {
    if (wanted.table != table.name) continue;
    Shaper shaper(*this, table, *hash);
    auto query = db_->query(wanted.sql);
    while (query.next()) {
      auto row = shaper.shape(query);
      if (!row) return fail(std::move(row.error()));
      if (!*row) continue;
      auto done = each(**row);
      if (!done) return done;
    }
    return query.failed() ? fail(query.error()) : Result<void>();
  }
  check(false, "a carried table has its query");
  return {};
}

Result<std::vector<std::string>> SqliteCarrySource::error_files() {
  std::vector<std::string> names;
  auto query = db_->query("SELECT error_file FROM import_jobs WHERE error_file <> ''");
  while (query.next()) names.emplace_back(query.text(0));
  if (query.failed()) return fail(query.error());
  return names;
}

Result<void> SqliteCarrySource::carried_away() {
  return store_->write_and_wait(WritePriority::accept, [&](WriteTransaction& t) {
    return t.put_setting(kCarriedAwaySetting, to_);
  });
}

}  // namespace todoku::store
