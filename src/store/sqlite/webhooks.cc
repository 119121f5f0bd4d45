// SPDX-License-Identifier: Apache-2.0
// Endpoints of webhooks (store/webhooks.h).
#include <utility>

#include "store/sqlite/queries.h"
#include "store/sqlite/transactions.h"

namespace todoku::store::sqlite {
namespace {

Result<Webhook> webhook_in(const Query& row) {
  Webhook found;
  found.name = row.text(0);
  found.account = AccountKey{row.integer(1)};
  found.form = static_cast<WebhookForm>(row.integer(2));
  found.status = static_cast<WebhookStatus>(row.integer(3));
  found.terms.shown = row.text(4);
  found.terms.sealed = row.blob(5);
  auto wishes = unpack_wishes(row.blob(6));
  if (!wishes) return fail(std::move(wishes.error()));
  found.terms.wishes = std::move(*wishes);
  found.state = row.blob(7);
  found.node = NodeKey{row.integer(8)};
  found.turn = static_cast<std::uint64_t>(row.integer(9));
  found.created = row.instant(10);
  found.changed = row.instant(11);
  return found;
}

Result<std::vector<Webhook>> webhooks_in(Query& query) {
  std::vector<Webhook> all;
  while (query.next()) {
    auto found = webhook_in(query);
    if (!found) return fail(std::move(found.error()));
    all.push_back(std::move(*found));
  }
  if (query.failed()) return fail(query.error());
  return all;
}

std::unexpected<Error> no_such_webhook() {
  return fail(ErrorKind::not_found, "there is no such endpoint");
}

}  // namespace

Result<std::vector<Webhook>> Queries::webhooks(AccountKey account) {
  auto query = db_.query(
      "SELECT name, account, form, status, shown, sealed, wishes, state, node,"
      " turn, created, changed FROM webhooks WHERE account = ? ORDER BY created, name");
  query.bind(account);
  return webhooks_in(query);
}

Result<Webhook> Queries::webhook(AccountKey account, std::string_view name) {
  auto query = db_.query(
      "SELECT name, account, form, status, shown, sealed, wishes, state, node,"
      " turn, created, changed FROM webhooks WHERE name = ? AND account = ?");
  query.bind(name, account);
  if (query.next()) return webhook_in(query);
  if (query.failed()) return fail(query.error());
  return no_such_webhook();
}

Result<std::vector<Webhook>> Queries::webhooks_to_tell(std::string_view after, std::int64_t limit) {
  auto query = db_.query(
      "SELECT name, account, form, status, shown, x'', wishes, x'', node,"
      " turn, created, changed FROM webhooks WHERE status <> 3 AND name > ? ORDER BY name LIMIT ?");
  query.bind(after, limit);
  return webhooks_in(query);
}

Result<std::vector<SetAsideEvent>> Queries::set_aside_of(std::string_view name,
                                                         std::string_view after,
                                                         std::int64_t limit) {
  auto query = db_.query(
      "SELECT event, at FROM webhook_set_aside WHERE webhook = ? AND event > ?"
      " ORDER BY event LIMIT ?");
  query.bind(name, after, limit);
  std::vector<SetAsideEvent> all;
  while (query.next()) all.push_back({std::string(query.text(0)), query.instant(1)});
  if (query.failed()) return fail(query.error());
  return all;
}

Result<std::string> Queries::webhook_calls(std::string_view name) {
  auto query = db_.query("SELECT calls FROM webhook_calls WHERE webhook = ?");
  query.bind(name);
  if (query.next()) return std::string(query.blob(0));
  if (query.failed()) return fail(query.error());
  return std::string();
}

Result<Webhook> SqliteWriteTransaction::create_webhook(const NewWebhook& webhook) {
  if (auto sound = check_sound(webhook); !sound) return fail(std::move(sound.error()));
  const auto owner = queries_.account(webhook.account);
  if (!owner) return fail(owner.error());
  const auto others = queries_.webhooks(webhook.account);
  if (!others) return fail(others.error());
  if (auto room = check_one_more(*others); !room) return fail(std::move(room.error()));
  const std::string wishes = pack_wishes(webhook.terms.wishes);
  auto done =
      db_.query(
             "INSERT INTO webhooks(name, account, form, status, shown, sealed, wishes, state, node,"
             " turn, created, changed) VALUES(?, ?, ?, 1, ?, ?, ?, ?, 0, 1, ?, ?)")
          .bind(std::string_view(webhook.name), webhook.account, webhook.form,
                std::string_view(webhook.terms.shown), Blob{webhook.terms.sealed}, Blob{wishes},
                Blob{webhook.state}, now_, now_)
          .run();
  if (done) done = changed(Topic::webhooks);
  if (!done) return fail(std::move(done.error()));
  return queries_.webhook(webhook.account, webhook.name);
}

Result<void> SqliteWriteTransaction::change_webhook(
    AccountKey account, std::string_view name,
    const std::function<Result<WebhookTerms>(const Webhook&)>& make) {
  const auto now = queries_.webhook(account, name);
  if (!now) return fail(now.error());
  const auto terms = make(*now);
  if (!terms) return fail(terms.error());
  if (auto sound = check_sound(*terms); !sound) return sound;
  const std::string wishes = pack_wishes(terms->wishes);
  auto done = db_.query(
                     "UPDATE webhooks SET shown = ?, sealed = ?, wishes = ?, turn = turn + 1,"
                     " changed = ? WHERE name = ? AND account = ?")
                  .bind(std::string_view(terms->shown), Blob{terms->sealed}, Blob{wishes}, now_,
                        name, account)
                  .run();
  if (!done) return done;
  return changed(Topic::webhooks);
}

Result<void> SqliteWriteTransaction::redirect_webhook(
    AccountKey account, std::string_view name,
    const std::function<Result<std::string>(const Webhook&)>& make) {
  const auto now = queries_.webhook(account, name);
  if (!now) return fail(now.error());
  const auto state = make(*now);
  if (!state) return fail(state.error());
  if (auto sound = check_state(*state); !sound) return sound;
  auto done = db_.query(
                     "UPDATE webhooks SET state = ?, turn = turn + 1, changed = ?"
                     " WHERE name = ? AND account = ?")
                  .bind(Blob{*state}, now_, name, account)
                  .run();
  return done ? changed(Topic::webhooks) : done;
}

Result<void> SqliteWriteTransaction::enable_webhook(AccountKey account, std::string_view name,
                                                    bool on) {
  auto done = db_.query(
                     "UPDATE webhooks SET status = ?, turn = turn + 1, changed = ?"
                     " WHERE name = ? AND account = ?")
                  .bind(on ? WebhookStatus::active : WebhookStatus::disabled, now_, name, account)
                  .run();
  if (!done) return done;
  if (db_.changes() == 0) return no_such_webhook();
  return changed(Topic::webhooks);
}

Result<void> SqliteWriteTransaction::delete_webhook(AccountKey account, std::string_view name) {
  auto done =
      db_.query("DELETE FROM webhooks WHERE name = ? AND account = ?").bind(name, account).run();
  if (!done) return done;
  if (db_.changes() == 0) return no_such_webhook();
  done = db_.query("DELETE FROM webhook_set_aside WHERE webhook = ?").bind(name).run();
  if (done) done = db_.query("DELETE FROM webhook_calls WHERE webhook = ?").bind(name).run();
  return done ? changed(Topic::webhooks) : done;
}

Result<Webhook> SqliteWriteTransaction::take_webhook(NodeKey node, std::string_view name) {
  auto done = must_be_known(node);
  if (!done) return fail(std::move(done.error()));
  done = db_.query(
                "UPDATE webhooks SET node = ?1, turn = turn + 1 WHERE name = ?2 AND status <> 3"
                " AND (node IN (0, ?1) OR NOT EXISTS"
                " (SELECT 1 FROM nodes WHERE nodes.key = webhooks.node AND nodes.void = 0))")
             .bind(node, name)
             .run();
  if (!done) return fail(std::move(done.error()));
  const bool took = db_.changes() > 0;
  auto query = db_.query(
      "SELECT name, account, form, status, shown, sealed, wishes, state, node,"
      " turn, created, changed FROM webhooks WHERE name = ?");
  query.bind(name);
  if (query.next()) {
    if (took) return webhook_in(query);
    return fail(ErrorKind::conflict, "another process tells this endpoint, or it is disabled");
  }
  if (query.failed()) return fail(query.error());
  return no_such_webhook();
}

Result<void> SqliteWriteTransaction::give_webhook(NodeKey node, std::string_view name) {
  return db_.query("UPDATE webhooks SET node = 0 WHERE name = ? AND node = ?")
      .bind(name, node)
      .run();
}

Result<void> SqliteWriteTransaction::save_webhook(const WebhookProgress& progress) {
  if (auto sound = check_sound(progress); !sound) return sound;
  const std::string_view name = progress.name;
  auto done = db_.query(
                     "UPDATE webhooks SET status = ?, state = ? WHERE name = ? AND node = ?"
                     " AND turn = ?")
                  .bind(progress.status, Blob{progress.state}, name, progress.node, progress.turn)
                  .run();
  if (!done) return done;
  if (db_.changes() == 0) {
    auto query = db_.query("SELECT 1 FROM webhooks WHERE name = ?");
    query.bind(name);
    if (query.next()) return fail(ErrorKind::conflict, "this endpoint is in other hands");
    if (query.failed()) return fail(query.error());
    return no_such_webhook();
  }
  if (progress.set_aside.empty()) return {};
  for (const std::string& event : progress.set_aside) {
    done = db_.query(
                  "INSERT INTO webhook_set_aside(webhook, event, at) VALUES(?, ?, ?)"
                  " ON CONFLICT DO NOTHING")
               .bind(name, std::string_view(event), now_)
               .run();
    if (!done) return done;
  }
  return db_
      .query(
          "DELETE FROM webhook_set_aside WHERE webhook = ?1 AND event <= (SELECT event FROM"
          " webhook_set_aside WHERE webhook = ?1 ORDER BY event DESC LIMIT 1 OFFSET ?2)")
      .bind(name, kSetAsideMax)
      .run();
}

Result<void> SqliteWriteTransaction::keep_webhook_calls(NodeKey node, std::string_view name,
                                                        std::string_view calls) {
  if (auto sound = check_calls(calls); !sound) return sound;
  return db_
      .query(
          "INSERT INTO webhook_calls(webhook, calls) SELECT name, ? FROM webhooks"
          " WHERE name = ? AND node = ?"
          " ON CONFLICT(webhook) DO UPDATE SET calls = excluded.calls")
      .bind(Blob{calls}, name, node)
      .run();
}

Result<void> SqliteWriteTransaction::drop_set_aside(std::string_view name,
                                                    std::span<const std::string> events) {
  for (const std::string& event : events) {
    auto done = db_.query("DELETE FROM webhook_set_aside WHERE webhook = ? AND event = ?")
                    .bind(name, std::string_view(event))
                    .run();
    if (!done) return done;
  }
  return {};
}

}  // namespace todoku::store::sqlite
