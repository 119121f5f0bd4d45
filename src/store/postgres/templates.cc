// SPDX-License-Identifier: Apache-2.0
// Contents that accounts keep (store/templates.h).
#include "store/templates.h"

#include <utility>

#include "store/postgres/session.h"
#include "store/postgres/transactions.h"

namespace todoku::store::postgres {
namespace {

#define TEMPLATE_HEAD "t.id, t.name, t.latest, t.created, t.updated"
#define TEMPLATE_AND_VERSION                                                    \
  "SELECT " TEMPLATE_HEAD                                                       \
  ", v.version, v.created, v.content FROM templates t JOIN template_versions v" \
  " ON v.account = t.account AND v.template = t.id"                             \
  " AND v.version = CASE WHEN $3::bigint = 0 THEN t.latest ELSE $3 END WHERE t.account = $1"

const Sql kTemplateById{"templates: by id", TEMPLATE_AND_VERSION " AND t.id = $2"};
const Sql kTemplateByName{"templates: by name", TEMPLATE_AND_VERSION " AND t.name = $2"};
const Sql kTemplates{"templates: list",
                     "SELECT " TEMPLATE_HEAD
                     " FROM templates t WHERE t.account = $1 AND t.id > $2 ORDER BY t.id LIMIT $3"};
const Sql kTemplateVersions{"templates: versions",
                            "SELECT version, created FROM template_versions"
                            " WHERE account = $1 AND template = $2 ORDER BY version DESC"};
// What writers of an account wait for each other at, from their first statement on.
const Sql kNextTemplateId{"templates: next id",
                          "INSERT INTO template_ids(account, last, octets) VALUES($1, 1, 0)"
                          " ON CONFLICT(account) DO UPDATE SET last = template_ids.last + 1"
                          " RETURNING last"};
const Sql kCountTemplates{"templates: count", "SELECT count(*) FROM templates WHERE account = $1"};
const Sql kHoldTemplates{"templates: hold",
                         "SELECT last FROM template_ids WHERE account = $1 FOR UPDATE"};
const Sql kCountTemplateOctets{"templates: count octets",
                               "UPDATE template_ids SET octets = octets + $2 WHERE account = $1"
                               " AND ($2 <= 0 OR octets + $2 <= $3)"};
const Sql kInsertTemplate{"templates: insert",
                          "INSERT INTO templates(account, id, name, latest, created, updated)"
                          " VALUES($1, $2, $3, 1, $4, $4) ON CONFLICT DO NOTHING"};
const Sql kUpdateTemplate{"templates: update",
                          "UPDATE templates SET name = $3, latest = $4, updated = $5"
                          " WHERE account = $1 AND id = $2 AND NOT EXISTS (SELECT 1 FROM templates"
                          " o WHERE o.account = $1 AND o.name = $3 AND o.id <> $2)"};
const Sql kDropVersions{"templates: drop versions",
                        "WITH gone AS (DELETE FROM template_versions WHERE account = $1"
                        " AND template = $2 AND version <= $3 RETURNING octets)"
                        " SELECT coalesce(sum(octets), 0)::bigint FROM gone"};
const Sql kInsertVersion{"templates: insert version",
                         "INSERT INTO template_versions(account, template, version, created,"
                         " octets, content) VALUES($1, $2, $3, $4, $5, $6)"};
const Sql kDeleteTemplate{"templates: delete",
                          "DELETE FROM templates WHERE account = $1 AND id = $2"};

TemplateHead template_head_in(const Table& rows, int row) {
  return {.id = rows.integer(row, 0),
          .name = std::string(rows.text(row, 1)),
          .latest = rows.integer(row, 2),
          .created = rows.instant(row, 3),
          .updated = rows.instant(row, 4)};
}

}  // namespace

Result<Template> Questions::content_template(AccountKey account, const TemplateChoice& choice) {
  Params params;
  params << account;
  if (choice.id != 0) {
    params << choice.id;
  } else {
    params << std::string_view(choice.name);
  }
  params << choice.version;
  const auto rows = session_.ask(choice.id != 0 ? kTemplateById : kTemplateByName, params);
  if (!rows) return fail(rows.error());
  if (rows->empty()) return no_such_template();
  auto content = unpack_template(rows->text(0, 7));
  if (!content) return fail(std::move(content.error()));
  return Template{.head = template_head_in(*rows, 0),
                  .version = rows->integer(0, 5),
                  .made = rows->instant(0, 6),
                  .content = std::move(*content)};
}

Result<std::vector<TemplateHead>> Questions::content_templates(AccountKey account, PublicId after,
                                                               std::int64_t limit) {
  const auto rows = session_.ask(kTemplates, Params() << account << after << limit);
  if (!rows) return fail(rows.error());
  std::vector<TemplateHead> all;
  for (int row = 0; row < rows->size(); ++row) all.push_back(template_head_in(*rows, row));
  return all;
}

Result<std::vector<TemplateVersionHead>> Questions::template_versions(AccountKey account,
                                                                      PublicId id) {
  const auto rows = session_.ask(kTemplateVersions, Params() << account << id);
  if (!rows) return fail(rows.error());
  std::vector<TemplateVersionHead> all;
  for (int row = 0; row < rows->size(); ++row) {
    all.push_back({rows->integer(row, 0), rows->instant(row, 1)});
  }
  return all;
}

Result<void> Changes::count_template_octets(AccountKey account, std::int64_t octets) {
  const auto done =
      session_.ask(kCountTemplateOctets, Params() << account << octets << kTemplateOctetsMax);
  if (!done) return fail(done.error());
  return done->changes() == 0 ? templates_too_large() : Result<void>();
}

Result<void> Changes::add_template_version(AccountKey account, PublicId id, std::int64_t version,
                                           const Content& content) {
  const std::string packed = pack_template(content);
  const auto gone =
      session_.ask(kDropVersions, Params() << account << id << version - kTemplateVersionsKept);
  if (!gone) return fail(gone.error());
  auto counted = count_template_octets(
      account, static_cast<std::int64_t>(packed.size()) - gone->integer(0, 0));
  if (!counted) return counted;
  const auto done =
      session_.ask(kInsertVersion, Params() << account << id << version << session_.now()
                                            << packed.size() << Octets{packed});
  if (!done) return fail(done.error());
  return {};
}

Result<Template> Changes::create_template(AccountKey account, const NewTemplate& wanted) {
  if (auto sound = check_sound(wanted); !sound) return fail(std::move(sound.error()));
  if (const auto owner = questions_.account(account); !owner) return fail(owner.error());
  if (auto known = questions_.all_know(Novelty::templates); !known) {
    return fail(std::move(known.error()));
  }
  const auto next = session_.ask(kNextTemplateId, Params() << account);
  if (!next) return fail(next.error());
  const auto count = session_.ask(kCountTemplates, Params() << account);
  if (!count) return fail(count.error());
  if (count->integer(0, 0) >= kTemplatesMax) return too_many_templates();
  const PublicId id = next->integer(0, 0);
  const auto made =
      session_.ask(kInsertTemplate,
                   Params() << account << id << std::string_view(wanted.name) << session_.now());
  if (!made) return fail(made.error());
  if (made->changes() == 0) return template_name_taken();
  auto done = add_template_version(account, id, 1, wanted.content);
  if (!done) return fail(std::move(done.error()));
  return questions_.content_template(account, {.id = id});
}

Result<Template> Changes::change_template(
    AccountKey account, PublicId id,
    const std::function<Result<NewTemplate>(const Template&)>& make) {
  const auto held = session_.ask(kHoldTemplates, Params() << account);
  if (!held) return fail(held.error());
  auto now = questions_.content_template(account, {.id = id});
  if (!now) return now;
  const auto wanted = make(*now);
  if (!wanted) return fail(wanted.error());
  if (auto sound = check_sound(*wanted); !sound) return fail(std::move(sound.error()));
  if (auto known = questions_.all_know(Novelty::templates); !known) {
    return fail(std::move(known.error()));
  }
  const bool is_new = pack_template(wanted->content) != pack_template(now->content);
  const std::int64_t latest = now->head.latest + (is_new ? 1 : 0);
  const auto changed =
      session_.ask(kUpdateTemplate, Params() << account << id << std::string_view(wanted->name)
                                             << latest << session_.now());
  if (!changed) return fail(changed.error());
  if (changed->changes() == 0) return template_name_taken();
  auto done = is_new ? add_template_version(account, id, latest, wanted->content) : Result<void>();
  if (!done) return fail(std::move(done.error()));
  return questions_.content_template(account, {.id = id});
}

Result<void> Changes::delete_template(AccountKey account, PublicId id) {
  const auto held = session_.ask(kHoldTemplates, Params() << account);
  if (!held) return fail(held.error());
  const auto gone = session_.ask(kDeleteTemplate, Params() << account << id);
  if (!gone) return fail(gone.error());
  if (gone->changes() == 0) return no_such_template();
  constexpr std::int64_t kAll = std::int64_t{1} << 62U;
  const auto versions = session_.ask(kDropVersions, Params() << account << id << kAll);
  if (!versions) return fail(versions.error());
  return count_template_octets(account, -versions->integer(0, 0));
}

}  // namespace todoku::store::postgres
