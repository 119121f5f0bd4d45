// SPDX-License-Identifier: Apache-2.0
// Endpoints of webhooks (store/webhooks.h).
#include <utility>

#include "store/postgres/transactions.h"

namespace todoku::store::postgres {
namespace {

#define WEBHOOK_COLUMNS \
  "name, account, form, status, shown, sealed, wishes, state, node, turn, created, changed"

const Sql kWebhooksOfAccount{"webhooks: of an account", "SELECT " WEBHOOK_COLUMNS
                                                        " FROM webhooks WHERE account = $1"
                                                        " ORDER BY created, name"};
const Sql kOneWebhook{"webhooks: one",
                      "SELECT " WEBHOOK_COLUMNS " FROM webhooks WHERE name = $1 AND account = $2"};
const Sql kWebhooksToTell{
    "webhooks: to tell",
    "SELECT name, account, form, status, shown, ''::bytea, wishes, ''::bytea, node,"
    " turn, created, changed FROM webhooks WHERE status <> 3 AND name > $1"
    " ORDER BY name LIMIT $2"};
const Sql kWebhookSetAside{
    "webhooks: set aside",
    "SELECT event, at FROM webhook_set_aside WHERE webhook = $1 AND event > $2"
    " ORDER BY event LIMIT $3"};
// Of two that make the last that an account may have, one waits for the other.
const Sql kLockWebhookOwner{"webhooks: lock account",
                            "SELECT key FROM accounts WHERE key = $1 FOR NO KEY UPDATE"};
const Sql kInsertWebhook{"webhooks: insert",
                         "INSERT INTO webhooks(" WEBHOOK_COLUMNS
                         ") VALUES($1, $2, $3, 1, $4, $5, $6, $7, 0, 1, $8, $8)"};
const Sql kChangeWebhook{
    "webhooks: change",
    "UPDATE webhooks SET shown = $3, sealed = $4, wishes = $5, turn = turn + 1,"
    " changed = $6 WHERE name = $1 AND account = $2"};
const Sql kHoldWebhook{"webhooks: hold",
                       "SELECT " WEBHOOK_COLUMNS
                       " FROM webhooks WHERE name = $1 AND account = $2 FOR UPDATE"};
const Sql kRedirectWebhook{"webhooks: redirect",
                           "UPDATE webhooks SET state = $3, turn = turn + 1, changed = $4"
                           " WHERE name = $1 AND account = $2"};
const Sql kEnableWebhook{"webhooks: enable",
                         "UPDATE webhooks SET status = $3, turn = turn + 1, changed = $4"
                         " WHERE name = $1 AND account = $2"};
const Sql kDeleteWebhook{"webhooks: delete",
                         "DELETE FROM webhooks WHERE name = $1 AND account = $2"};
const Sql kDropWebhookSetAside{"webhooks: drop all set aside",
                               "DELETE FROM webhook_set_aside WHERE webhook = $1"};
const Sql kDropWebhookCalls{"webhooks: drop calls", "DELETE FROM webhook_calls WHERE webhook = $1"};
const Sql kWebhookCalls{"webhooks: calls", "SELECT calls FROM webhook_calls WHERE webhook = $1"};
const Sql kKeepWebhookCalls{
    "webhooks: keep calls",
    "INSERT INTO webhook_calls(webhook, calls) SELECT name, $3 FROM webhooks"
    " WHERE name = $1 AND node = $2"
    " ON CONFLICT (webhook) DO UPDATE SET calls = excluded.calls"};
// Against being made void until this is committed.
const Sql kHoldWebhookTaker{"webhooks: hold node",
                            "SELECT key FROM nodes WHERE key = $1 AND void = 0 FOR SHARE"};
const Sql kTakeWebhook{
    "webhooks: take",
    "UPDATE webhooks SET node = $1, turn = turn + 1 WHERE name = $2 AND status <> 3"
    " AND (node IN (0, $1) OR NOT EXISTS"
    " (SELECT 1 FROM nodes n WHERE n.key = webhooks.node AND n.void = 0))"
    " RETURNING " WEBHOOK_COLUMNS};
const Sql kGiveWebhook{"webhooks: give",
                       "UPDATE webhooks SET node = 0 WHERE name = $1 AND node = $2"};
const Sql kSaveWebhook{"webhooks: save",
                       "UPDATE webhooks SET status = $4, state = $5 WHERE name = $1 AND node = $2"
                       " AND turn = $3"};
const Sql kIsWebhookThere{"webhooks: is it there", "SELECT name FROM webhooks WHERE name = $1"};
const Sql kPutWebhookSetAside{"webhooks: put set aside",
                              "INSERT INTO webhook_set_aside(webhook, event, at)"
                              " SELECT $1, event, $3 FROM unnest($2::text[]) u(event)"
                              " ON CONFLICT DO NOTHING"};
const Sql kDropWebhookOldest{
    "webhooks: drop oldest set aside",
    "DELETE FROM webhook_set_aside WHERE webhook = $1 AND event <= (SELECT event"
    " FROM webhook_set_aside WHERE webhook = $1 ORDER BY event DESC LIMIT 1"
    " OFFSET $2)"};
const Sql kDropWebhookSome{"webhooks: drop set aside",
                           "DELETE FROM webhook_set_aside WHERE webhook = $1 AND event = ANY($2)"};

Result<Webhook> webhook_in(const Table& rows, int row) {
  Webhook found;
  found.name = rows.text(row, 0);
  found.account = AccountKey{rows.integer(row, 1)};
  found.form = static_cast<WebhookForm>(rows.integer(row, 2));
  found.status = static_cast<WebhookStatus>(rows.integer(row, 3));
  found.terms.shown = rows.text(row, 4);
  found.terms.sealed = rows.text(row, 5);
  auto wishes = unpack_wishes(rows.text(row, 6));
  if (!wishes) return fail(std::move(wishes.error()));
  found.terms.wishes = std::move(*wishes);
  found.state = rows.text(row, 7);
  found.node = NodeKey{rows.integer(row, 8)};
  found.turn = static_cast<std::uint64_t>(rows.integer(row, 9));
  found.created = rows.instant(row, 10);
  found.changed = rows.instant(row, 11);
  return found;
}

Result<std::vector<Webhook>> webhooks_in(const Result<Table>& rows) {
  if (!rows) return fail(rows.error());
  std::vector<Webhook> all;
  for (int row = 0; row < rows->size(); ++row) {
    auto found = webhook_in(*rows, row);
    if (!found) return fail(std::move(found.error()));
    all.push_back(std::move(*found));
  }
  return all;
}

std::unexpected<Error> no_such_webhook() {
  return fail(ErrorKind::not_found, "there is no such endpoint");
}

}  // namespace

Result<std::vector<Webhook>> Questions::webhooks(AccountKey account) {
  return webhooks_in(session_.ask(kWebhooksOfAccount, Params() << account));
}

Result<Webhook> Questions::webhook(AccountKey account, std::string_view name) {
  const auto rows = session_.ask(kOneWebhook, Params() << name << account);
  if (!rows) return fail(rows.error());
  return rows->empty() ? no_such_webhook() : webhook_in(*rows, 0);
}

Result<std::vector<Webhook>> Questions::webhooks_to_tell(std::string_view after,
                                                         std::int64_t limit) {
  return webhooks_in(session_.ask(kWebhooksToTell, Params() << after << limit));
}

Result<std::vector<SetAsideEvent>> Questions::set_aside_of(std::string_view name,
                                                           std::string_view after,
                                                           std::int64_t limit) {
  const auto rows = session_.ask(kWebhookSetAside, Params() << name << after << limit);
  if (!rows) return fail(rows.error());
  std::vector<SetAsideEvent> all;
  for (int row = 0; row < rows->size(); ++row) {
    all.push_back({std::string(rows->text(row, 0)), rows->instant(row, 1)});
  }
  return all;
}

Result<std::string> Questions::webhook_calls(std::string_view name) {
  const auto rows = session_.ask(kWebhookCalls, Params() << name);
  if (!rows) return fail(rows.error());
  return rows->empty() ? std::string() : std::string(rows->text(0, 0));
}

Result<Webhook> Changes::create_webhook(const NewWebhook& webhook) {
  if (auto sound = check_sound(webhook); !sound) return fail(std::move(sound.error()));
  const auto owner = session_.ask(kLockWebhookOwner, Params() << webhook.account);
  if (!owner) return fail(owner.error());
  if (owner->empty()) return fail(ErrorKind::not_found, "there is no such account");
  const auto others = questions_.webhooks(webhook.account);
  if (!others) return fail(others.error());
  if (auto room = check_one_more(*others); !room) return fail(std::move(room.error()));
  const std::string wishes = pack_wishes(webhook.terms.wishes);
  const auto done =
      session_.ask(kInsertWebhook, Params() << std::string_view(webhook.name) << webhook.account
                                            << webhook.form << std::string_view(webhook.terms.shown)
                                            << Octets{webhook.terms.sealed} << Octets{wishes}
                                            << Octets{webhook.state} << session_.now());
  if (!done) return fail(done.error());
  if (auto told = changed(Topic::webhooks); !told) return fail(std::move(told.error()));
  return questions_.webhook(webhook.account, webhook.name);
}

Result<void> Changes::change_webhook(
    AccountKey account, std::string_view name,
    const std::function<Result<WebhookTerms>(const Webhook&)>& make) {
  const auto held = session_.ask(kHoldWebhook, Params() << name << account);
  if (!held) return fail(held.error());
  if (held->empty()) return no_such_webhook();
  const auto webhook = webhook_in(*held, 0);
  if (!webhook) return fail(webhook.error());
  const auto terms = make(*webhook);
  if (!terms) return fail(terms.error());
  if (auto sound = check_sound(*terms); !sound) return sound;
  const std::string wishes = pack_wishes(terms->wishes);
  const auto done = session_.ask(
      kChangeWebhook, Params() << name << account << std::string_view(terms->shown)
                               << Octets{terms->sealed} << Octets{wishes} << session_.now());
  if (!done) return fail(done.error());
  return changed(Topic::webhooks);
}

Result<void> Changes::redirect_webhook(
    AccountKey account, std::string_view name,
    const std::function<Result<std::string>(const Webhook&)>& make) {
  const auto held = session_.ask(kHoldWebhook, Params() << name << account);
  if (!held) return fail(held.error());
  if (held->empty()) return no_such_webhook();
  const auto webhook = webhook_in(*held, 0);
  if (!webhook) return fail(webhook.error());
  const auto state = make(*webhook);
  if (!state) return fail(state.error());
  if (auto sound = check_state(*state); !sound) return sound;
  const auto done = session_.ask(kRedirectWebhook,
                                 Params() << name << account << Octets{*state} << session_.now());
  if (!done) return fail(done.error());
  return changed(Topic::webhooks);
}

Result<void> Changes::enable_webhook(AccountKey account, std::string_view name, bool on) {
  const auto status = on ? WebhookStatus::active : WebhookStatus::disabled;
  const auto done =
      session_.ask(kEnableWebhook, Params() << name << account << status << session_.now());
  if (!done) return fail(done.error());
  if (done->changes() == 0) return no_such_webhook();
  return changed(Topic::webhooks);
}

Result<void> Changes::delete_webhook(AccountKey account, std::string_view name) {
  const auto done = session_.ask(kDeleteWebhook, Params() << name << account);
  if (!done) return fail(done.error());
  if (done->changes() == 0) return no_such_webhook();
  const auto dropped = session_.add(kDropWebhookSetAside, Params() << name)
                           .add(kDropWebhookCalls, Params() << name)
                           .fly();
  if (!dropped) return fail(dropped.error());
  return changed(Topic::webhooks);
}

Result<Webhook> Changes::take_webhook(NodeKey node, std::string_view name) {
  const auto done = session_.add(kHoldWebhookTaker, Params() << node)
                        .add(kTakeWebhook, Params() << node << name)
                        .add(kIsWebhookThere, Params() << name)
                        .fly();
  if (!done) return fail(done.error());
  if ((*done)[done->size() - 3].empty()) {
    return fail(ErrorKind::conflict, "this node counts as dead");
  }
  const Table& taken = (*done)[done->size() - 2];
  if (!taken.empty()) return webhook_in(taken, 0);
  if (done->back().empty()) return no_such_webhook();
  return fail(ErrorKind::conflict, "another process tells this endpoint, or it is disabled");
}

Result<void> Changes::give_webhook(NodeKey node, std::string_view name) {
  const auto done = session_.ask(kGiveWebhook, Params() << name << node);
  if (!done) return fail(done.error());
  return {};
}

Result<void> Changes::save_webhook(const WebhookProgress& progress) {
  if (auto sound = check_sound(progress); !sound) return sound;
  const std::string_view name = progress.name;
  const auto saved =
      session_.ask(kSaveWebhook, Params() << name << progress.node << progress.turn
                                          << progress.status << Octets{progress.state});
  if (!saved) return fail(saved.error());
  if (saved->changes() == 0) {
    const auto there = session_.ask(kIsWebhookThere, Params() << name);
    if (!there) return fail(there.error());
    if (there->empty()) return no_such_webhook();
    return fail(ErrorKind::conflict, "this endpoint is in other hands");
  }
  if (progress.set_aside.empty()) return {};
  Column events(kText);
  for (const std::string& event : progress.set_aside) events.add(std::string_view(event));
  const auto put = session_.add(kPutWebhookSetAside, Params() << name << events << session_.now())
                       .add(kDropWebhookOldest, Params() << name << kSetAsideMax)
                       .fly();
  if (!put) return fail(put.error());
  return {};
}

Result<void> Changes::keep_webhook_calls(NodeKey node, std::string_view name,
                                         std::string_view calls) {
  if (auto sound = check_calls(calls); !sound) return sound;
  const auto done = session_.ask(kKeepWebhookCalls, Params() << name << node << Octets{calls});
  if (!done) return fail(done.error());
  return {};
}

Result<void> Changes::drop_set_aside(std::string_view name, std::span<const std::string> events) {
  Column dropped(kText);
  for (const std::string& event : events) dropped.add(std::string_view(event));
  const auto done = session_.ask(kDropWebhookSome, Params() << name << dropped);
  if (!done) return fail(done.error());
  return {};
}

}  // namespace todoku::store::postgres
