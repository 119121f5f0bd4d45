// SPDX-License-Identifier: Apache-2.0
#include "intake/templates.h"

#include <algorithm>
#include <charconv>
#include <memory>
#include <utility>

#include "intake/changes.h"
#include "intake/field_digest.h"
#include "intake/from_template.h"

namespace todoku::intake {
namespace {

using store::ReadTransaction;
using store::WritePriority;
using store::WriteTransaction;

void put_fields(const TemplateFields& fields, store::NewTemplate& wanted) {
  if (fields.name) wanted.name = *fields.name;
  if (fields.from) wanted.content.from = *fields.from;
  if (fields.subject) wanted.content.subject = *fields.subject;
  if (fields.text_part) wanted.content.text_part = *fields.text_part;
  if (fields.html_part) wanted.content.html_part = *fields.html_part;
  if (fields.escape) wanted.content.escape = *fields.escape;
}

// Of an error of the store: the name that is taken is told at the name.
Refusal refusal_of_template(const Error& error) {
  if (error.kind == ErrorKind::conflict) {
    Refusal taken{ErrorKind::conflict, {}};
    taken.problems.add(
        {"name"}, {"is the name of another template.", "ほかのテンプレートが使っている名前です。"});
    return taken;
  }
  if (error.kind == ErrorKind::limit_exceeded) {
    return Refusal::of(
        ErrorKind::limit_exceeded,
        {error.detail + ".", "テンプレートの上限に達しています (" + error.detail + ")。"});
  }
  return refusal_of(error);
}

}  // namespace

Sha256 fingerprint_of(const TemplateFields& fields) {
  const auto& [name, from, subject, text_part, html_part, escape] = fields;
  FieldDigest digest("template");
  digest.field("name", name);
  digest.field("from", from);
  digest.field("subject", subject);
  digest.field("text_part", text_part);
  digest.field("html_part", html_part);
  digest.number(escape ? 1 + static_cast<std::uint64_t>(*escape) : 0);
  return digest.finish();
}

store::TemplateChoice template_choice(std::string_view word, std::int64_t version) {
  store::TemplateChoice choice{.id = 0, .name = {}, .version = version};
  const char* const end = word.data() + word.size();
  const auto read = std::from_chars(word.data(), end, choice.id);
  if (read.ec == std::errc() && read.ptr == end && choice.id > 0) return choice;
  choice.id = 0;
  choice.name = word;
  return choice;
}

Task<Answer<Made>> Templates::create(store::Account account, TemplateFields fields,
                                     Repeatable repeatable) {
  if (auto suspended = refuse_if_suspended(account)) co_return refuse(std::move(*suspended));
  store::NewTemplate wanted;
  wanted.content.escape = Escape::html;
  put_fields(fields, wanted);
  Problems found;
  check_template(wanted, limits_, found);
  if (!found.empty()) co_return refuse({ErrorKind::invalid_input, std::move(found)});
  auto made = co_await intake::change<Made>(
      store_, WritePriority::accept,
      [account = account.key, wanted = std::move(wanted),
       repeatable](WriteTransaction& transaction) -> Answer<Made> {
        const auto created = transaction.create_template(account, wanted);
        if (!created) return refuse(refusal_of_template(created.error()));
        auto kept = keep_answer(transaction, repeatable, created->head.id);
        if (!kept) return refuse(std::move(kept.error()));
        return Made{.answer = created->head.id, .delivery = {}};
      });
  co_return made;
}

Task<Answer<store::Template>> Templates::change(store::Account account, store::TemplateChoice which,
                                                TemplateFields fields) {
  if (auto suspended = refuse_if_suspended(account)) co_return refuse(std::move(*suspended));
  which.version = 0;
  auto changed = co_await intake::change<store::Template>(
      store_, WritePriority::accept,
      [account = account.key, which = std::move(which), fields = std::move(fields),
       limits = limits_](WriteTransaction& transaction) -> Answer<store::Template> {
        const auto now = transaction.read().content_template(account, which);
        if (!now) return refuse(refusal_of(now.error()));
        Problems found;
        auto next = transaction.change_template(
            account, now->head.id,
            [&](const store::Template& latest) -> Result<store::NewTemplate> {
              store::NewTemplate wanted{.name = latest.head.name, .content = latest.content};
              put_fields(fields, wanted);
              found = {};
              check_template(wanted, limits, found);
              if (!found.empty()) return fail(ErrorKind::invalid_input, "refused");
              return wanted;
            });
        if (!found.empty()) return refuse({ErrorKind::invalid_input, std::move(found)});
        if (!next) return refuse(refusal_of_template(next.error()));
        return std::move(*next);
      });
  co_return changed;
}

Task<Answer<void>> Templates::remove(store::AccountKey account, store::TemplateChoice which) {
  which.version = 0;
  auto removed = co_await intake::change<void>(
      store_, WritePriority::accept,
      [account, which = std::move(which)](WriteTransaction& transaction) -> Answer<void> {
        const auto now = transaction.read().content_template(account, which);
        if (!now) return refuse(refusal_of(now.error()));
        const auto done = transaction.delete_template(account, now->head.id);
        if (!done) return refuse(refusal_of(done.error()));
        return {};
      });
  co_return removed;
}

Task<Answer<ShownTemplate>> Templates::show(store::AccountKey account,
                                            store::TemplateChoice which) {
  auto shown = co_await store_.read(
      [account, which = std::move(which)](ReadTransaction& transaction) -> Result<ShownTemplate> {
        auto found = transaction.content_template(account, which);
        if (!found) return fail(std::move(found.error()));
        auto versions = transaction.template_versions(account, found->head.id);
        if (!versions) return fail(std::move(versions.error()));
        return ShownTemplate{.shown = std::move(*found), .versions = std::move(*versions)};
      });
  if (!shown) co_return refuse(refusal_of(shown.error()));
  for (mime::CodeUse& use : code_uses_of(shown->shown.content, limits_.insert_codes_max)) {
    shown->codes.push_back({std::move(use.key), !use.has_default});
  }
  co_return std::move(*shown);
}

Task<Answer<std::vector<store::TemplateHead>>> Templates::list(store::AccountKey account,
                                                               store::PublicId after,
                                                               std::int64_t limit) {
  auto heads = co_await store_.read([account, after, limit](ReadTransaction& transaction) {
    return transaction.content_templates(account, after, limit);
  });
  if (!heads) co_return refuse(refusal_of(heads.error()));
  co_return std::move(*heads);
}

}  // namespace todoku::intake
