// SPDX-License-Identifier: Apache-2.0
// Operations on stories and on the engine itself.
#include "operate/operations.h"

#include <algorithm>
#include <string_view>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "base/bytes.h"
#include "base/log.h"
#include "explain/story_text.h"
#include "mail/address.h"
#include "operate/account_names.h"
#include "store/node_roles.h"
#include "store/walks.h"

namespace todoku::operate {

Operations::Operations(store::Store& store, const Clock& clock, Options options)
    : store_(store), clock_(clock), options_(std::move(options)) {}

Result<std::vector<store::Node>> Operations::engines_elsewhere() const {
  if (options_.describe_engine || !options_.engines_elsewhere) return std::vector<store::Node>{};
  return options_.engines_elsewhere();
}

Task<Result<void>> Operations::changed() {
  if (!options_.changed) co_return Result<void>{};
  co_return co_await options_.changed();
}

std::vector<std::string> roles_nobody_has(const std::vector<store::Node>& nodes) {
  const auto lives = [](const store::Node& node) {
    return !node.is_void && node.left > Milliseconds(0);
  };
  std::vector<std::string> missing;
  if (std::ranges::none_of(nodes, lives)) return missing;
  for (const std::string_view role : {"scheduler", "courier", "events"}) {
    const bool somebody = std::ranges::any_of(
        nodes, [&](const store::Node& node) { return lives(node) && store::has_role(node, role); });
    if (!somebody) missing.emplace_back(role);
  }
  return missing;
}

namespace {

// Where there are more, the operator asks for the list of accounts.
constexpr std::int64_t kSuspendedShown = 10;

Result<void> read_held(store::ReadTransaction& transaction, EngineStatus& status) {
  const auto names = transaction.held_smtp_credentials(kSuspendedShown + 1);
  if (!names) return fail(names.error());
  AccountNames accounts;
  for (const std::string& name : *names) {
    if (static_cast<std::int64_t>(status.held.size()) == kSuspendedShown) {
      status.more_held = true;
      break;
    }
    auto credential = transaction.smtp_credential(name);
    if (!credential) return fail(std::move(credential.error()));
    const auto account = accounts.of(transaction, credential->account);
    if (!account) return fail(account.error());
    status.held.push_back({.account = account->value_or(std::string()),
                           .name = name,
                           .since = credential->held.value_or(Instant{}),
                           .because = std::move(credential->held_because)});
  }
  return {};
}

Result<void> read_figures(store::ReadTransaction& transaction, const ClusterNames& names,
                          EngineStatus& status) {
  auto queues = transaction.queue_figures();
  if (!queues) return fail(std::move(queues.error()));
  status.queues = std::move(*queues);
  const auto reserved = transaction.reserved_work();
  if (!reserved) return fail(reserved.error());
  status.reserved = *reserved;
  const auto suspended = transaction.suspended_accounts(kSuspendedShown + 1);
  if (!suspended) return fail(suspended.error());
  for (const store::Account& account : *suspended) {
    if (static_cast<std::int64_t>(status.suspended.size()) == kSuspendedShown) {
      status.more_suspended = true;
      break;
    }
    const auto work = transaction.work_of(account.key);
    if (!work) return fail(work.error());
    status.suspended.push_back({.name = account.name, .work = *work});
  }
  auto held = read_held(transaction, status);
  if (!held) return held;
  const auto drained = transaction.setting(kDrainedSetting);
  if (!drained) return fail(drained.error());
  if (*drained) status.drained = parse_drained(**drained);
  const auto nodes = transaction.nodes();
  if (!nodes) return fail(nodes.error());
  if (status.running) status.missing_roles = roles_nobody_has(*nodes);
  status.differences = differences(*nodes);
  auto others = read_other_names(transaction, names);
  if (!others) return fail(std::move(others.error()));
  status.others = std::move(*others);
  return {};
}

}  // namespace

Task<Result<EngineStatus>> Operations::status() {
  EngineStatus status;
  status.version = options_.version;
  status.data_directory = options_.data_directory;
  if (options_.describe_engine) {
    status.running = true;
    options_.describe_engine(status);
  }
  auto elsewhere = engines_elsewhere();
  if (!elsewhere) co_return fail(std::move(elsewhere.error()));
  status.elsewhere = std::move(*elsewhere);
  // By value there and back: who asks may be gone when the store answers.
  auto told =
      co_await store_.read([status, names = options_.names](
                               store::ReadTransaction& transaction) -> Result<EngineStatus> {
        EngineStatus with = status;
        const auto read = read_figures(transaction, names, with);
        if (!read) return fail(read.error());
        return with;
      });
  if (told) told->asked = clock_.now();
  co_return told;
}

namespace {

Result<Lockouts*> relay_of(const std::function<Lockouts*()>& lockouts) {
  Lockouts* const here = lockouts ? lockouts() : nullptr;
  if (here != nullptr) return here;
  return fail(ErrorKind::unsupported,
              "lock-outs are in the memory of the engine that has the role smtp-in, which is not "
              "running here");
}

}  // namespace

Result<std::vector<Lockout>> Operations::lockouts() const {
  const auto relay = relay_of(options_.lockouts);
  if (!relay) return fail(relay.error());
  return (*relay)->list();
}

Result<std::int64_t> Operations::unlock(const std::string& name_or_network) {
  const auto relay = relay_of(options_.lockouts);
  if (!relay) return fail(relay.error());
  const std::int64_t ended = (*relay)->unlock(name_or_network);
  log::info("SMTP lock-outs ended", {{"of", name_or_network}, {"lockouts", ended}});
  return ended;
}

Result<void> Operations::drain() {
  if (!options_.drain) return fail(ErrorKind::unsupported, "the engine is not running");
  options_.drain();
  return {};
}

}  // namespace todoku::operate
