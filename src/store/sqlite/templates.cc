// SPDX-License-Identifier: Apache-2.0
// Contents that accounts keep (store/templates.h).
#include "store/templates.h"

#include <utility>

#include "store/sqlite/queries.h"
#include "store/sqlite/transactions.h"

namespace todoku::store::sqlite {
namespace {

TemplateHead template_head_in(const Query& row) {
  return {.id = row.integer(0),
          .name = std::string(row.text(1)),
          .latest = row.integer(2),
          .created = row.instant(3),
          .updated = row.instant(4)};
}

}  // namespace

Result<Template> Queries::content_template(AccountKey account, const TemplateChoice& choice) {
  auto query = choice.id != 0
                   ? db_.query(
                         "SELECT t.id, t.name, t.latest, t.created, t.updated, v.version,"
                         " v.created, v.content FROM templates t JOIN template_versions v"
                         " ON v.account = t.account AND v.template = t.id"
                         " AND v.version = CASE WHEN ?3 = 0 THEN t.latest ELSE ?3 END"
                         " WHERE t.account = ?1 AND t.id = ?2")
                   : db_.query(
                         "SELECT t.id, t.name, t.latest, t.created, t.updated, v.version,"
                         " v.created, v.content FROM templates t JOIN template_versions v"
                         " ON v.account = t.account AND v.template = t.id"
                         " AND v.version = CASE WHEN ?3 = 0 THEN t.latest ELSE ?3 END"
                         " WHERE t.account = ?1 AND t.name = ?2");
  if (choice.id != 0) {
    query.bind(account, choice.id, choice.version);
  } else {
    query.bind(account, std::string_view(choice.name), choice.version);
  }
  if (!query.next()) return query.failed() ? fail(query.error()) : no_such_template();
  auto content = unpack_template(query.blob(7));
  if (!content) return fail(std::move(content.error()));
  return Template{.head = template_head_in(query),
                  .version = query.integer(5),
                  .made = query.instant(6),
                  .content = std::move(*content)};
}

Result<std::vector<TemplateHead>> Queries::content_templates(AccountKey account, PublicId after,
                                                             std::int64_t limit) {
  auto query = db_.query(
      "SELECT id, name, latest, created, updated FROM templates"
      " WHERE account = ? AND id > ? ORDER BY id LIMIT ?");
  query.bind(account, after, limit);
  std::vector<TemplateHead> all;
  while (query.next()) all.push_back(template_head_in(query));
  if (query.failed()) return fail(query.error());
  return all;
}

Result<std::vector<TemplateVersionHead>> Queries::template_versions(AccountKey account,
                                                                    PublicId id) {
  auto query = db_.query(
      "SELECT version, created FROM template_versions WHERE account = ? AND template = ?"
      " ORDER BY version DESC");
  query.bind(account, id);
  std::vector<TemplateVersionHead> all;
  while (query.next()) all.push_back({query.integer(0), query.instant(1)});
  if (query.failed()) return fail(query.error());
  return all;
}

// Counts what is added and taken away; limit_exceeded: it would be too much.
Result<void> SqliteWriteTransaction::count_template_octets(AccountKey account,
                                                           std::int64_t octets) {
  auto done = db_.query(
                     "UPDATE template_ids SET octets = octets + ?2 WHERE account = ?1"
                     " AND (?2 <= 0 OR octets + ?2 <= ?3)")
                  .bind(account, octets, kTemplateOctetsMax)
                  .run();
  if (done && db_.changes() == 0) return templates_too_large();
  return done;
}

Result<void> SqliteWriteTransaction::add_template_version(AccountKey account, PublicId id,
                                                          std::int64_t version,
                                                          const Content& content) {
  const std::string packed = pack_template(content);
  auto octets = static_cast<std::int64_t>(packed.size());
  const std::int64_t last_gone = version - kTemplateVersionsKept;
  {
    auto gone = db_.query(
        "SELECT coalesce(sum(octets), 0) FROM template_versions"
        " WHERE account = ? AND template = ? AND version <= ?");
    gone.bind(account, id, last_gone);
    if (!gone.next()) return fail(gone.error());
    octets -= gone.integer(0);
  }
  auto done = count_template_octets(account, octets);
  if (done) {
    done = db_.query(
                  "DELETE FROM template_versions WHERE account = ? AND template = ?"
                  " AND version <= ?")
               .bind(account, id, last_gone)
               .run();
  }
  if (!done) return done;
  return db_
      .query(
          "INSERT INTO template_versions(account, template, version, created, octets, content)"
          " VALUES(?, ?, ?, ?, ?, ?)")
      .bind(account, id, version, now_, packed.size(), Blob{packed})
      .run();
}

Result<Template> SqliteWriteTransaction::create_template(AccountKey account,
                                                         const NewTemplate& wanted) {
  if (auto sound = check_sound(wanted); !sound) return fail(std::move(sound.error()));
  if (const auto owner = queries_.account(account); !owner) return fail(owner.error());
  {
    auto count = db_.query("SELECT count(*) FROM templates WHERE account = ?");
    count.bind(account);
    if (!count.next()) return fail(count.error());
    if (count.integer(0) >= kTemplatesMax) return too_many_templates();
  }
  PublicId id = 0;
  {
    auto next = db_.query(
        "INSERT INTO template_ids(account, last, octets) VALUES(?, 1, 0)"
        " ON CONFLICT(account) DO UPDATE SET last = last + 1 RETURNING last");
    next.bind(account);
    if (!next.next()) return fail(next.error());
    id = next.integer(0);
    while (next.next()) {
    }
    if (next.failed()) return fail(next.error());
  }
  auto done = db_.query(
                     "INSERT INTO templates(account, id, name, latest, created, updated)"
                     " VALUES(?1, ?2, ?3, 1, ?4, ?4) ON CONFLICT DO NOTHING")
                  .bind(account, id, std::string_view(wanted.name), now_)
                  .run();
  if (done && db_.changes() == 0) return template_name_taken();
  if (done) done = add_template_version(account, id, 1, wanted.content);
  if (!done) return fail(std::move(done.error()));
  return queries_.content_template(account, {.id = id});
}

Result<Template> SqliteWriteTransaction::change_template(
    AccountKey account, PublicId id,
    const std::function<Result<NewTemplate>(const Template&)>& make) {
  auto now = queries_.content_template(account, {.id = id});
  if (!now) return now;
  const auto wanted = make(*now);
  if (!wanted) return fail(wanted.error());
  if (auto sound = check_sound(*wanted); !sound) return fail(std::move(sound.error()));
  const bool is_new = pack_template(wanted->content) != pack_template(now->content);
  const std::int64_t latest = now->head.latest + (is_new ? 1 : 0);
  auto done = db_.query(
                     "UPDATE OR IGNORE templates SET name = ?, latest = ?, updated = ?"
                     " WHERE account = ? AND id = ?")
                  .bind(std::string_view(wanted->name), latest, now_, account, id)
                  .run();
  if (done && db_.changes() == 0) return template_name_taken();
  if (done && is_new) done = add_template_version(account, id, latest, wanted->content);
  if (!done) return fail(std::move(done.error()));
  return queries_.content_template(account, {.id = id});
}

Result<void> SqliteWriteTransaction::delete_template(AccountKey account, PublicId id) {
  std::int64_t octets = 0;
  {
    auto sum = db_.query(
        "SELECT coalesce(sum(octets), 0) FROM template_versions WHERE account = ? AND template = "
        "?");
    sum.bind(account, id);
    if (!sum.next()) return fail(sum.error());
    octets = sum.integer(0);
  }
  auto done =
      db_.query("DELETE FROM templates WHERE account = ? AND id = ?").bind(account, id).run();
  if (!done) return done;
  if (db_.changes() == 0) return no_such_template();
  done = db_.query("DELETE FROM template_versions WHERE account = ? AND template = ?")
             .bind(account, id)
             .run();
  return done ? count_template_octets(account, -octets) : done;
}

}  // namespace todoku::store::sqlite
