// SPDX-License-Identifier: Apache-2.0
#include "app/domain_watch.h"

#include <exception>
#include <utility>

#include <boost/asio/post.hpp>

#include "access/domain_proof.h"
#include "async/runtime.h"
#include "async/timer.h"
#include "base/log.h"
#include "store/account_name.h"

namespace todoku::app {
namespace {

using namespace std::chrono_literals;

constexpr Microseconds kLookAtDomainsEvery = 20s;
constexpr std::int64_t kClaims = 200;  // of one round
constexpr std::size_t kTogether = 8;   // so that one whose servers are dead holds up no others

}  // namespace

struct DomainWatch::Round {
  std::vector<store::Domain> claims;
  std::size_t next = 0;
  Result<void> result;
};

void DomainWatch::start() {
  boost::asio::post(executor_, [this] { tasks_.spawn("domains", run()); });
}

Task<void> DomainWatch::stop() {
  co_await async::run_on(executor_, tasks_.stop());
}

Task<void> DomainWatch::run() {
  while (true) {
    try {
      const auto looked = co_await look();
      if (looked) {
        looking_.worked(clock_.steady_now());
      } else {
        looking_.failed(clock_.steady_now(), {{"reason", looked.error().detail}});
      }
    } catch (const std::exception&) {
      async::report_exception("looking at domains", std::current_exception());
    }
    const bool awake = co_await async::sleep_for(kLookAtDomainsEvery);
    if (!awake) co_return;
  }
}

Task<Result<std::size_t>> DomainWatch::look() {
  auto due = co_await store_.read(
      [](store::ReadTransaction& transaction) { return transaction.domains_to_look_at(kClaims); });
  if (!due) co_return fail(std::move(due.error()));
  const auto round = std::make_shared<Round>();
  round->claims = std::move(*due);
  async::TaskGroup workers(executor_);
  const std::size_t count = std::min(kTogether, round->claims.size());
  for (std::size_t i = 0; i < count; ++i) workers.spawn("domain", look_at_some(round));
  co_await workers.wait_empty();
  if (!round->result) co_return fail(round->result.error());
  co_return round->claims.size();
}

Task<void> DomainWatch::look_at_some(std::shared_ptr<Round> round) {
  while (round->next < round->claims.size()) {
    store::Domain claim = std::move(round->claims[round->next++]);
    auto looked = co_await look_at(std::move(claim));
    if (!looked) round->result = std::move(looked);
  }
}

Task<Result<void>> DomainWatch::look_at(store::Domain claim) {
  const auto texts = co_await texts_(access::proof_name(claim.domain));
  if (!texts && texts.error().kind == ErrorKind::cancelled) co_return fail(texts.error());
  const auto finding = access::finding_of(texts, claim.token);
  auto looked = co_await store_.write(
      store::WritePriority::retention,
      [claim, finding, now = store_.clock().now()](store::WriteTransaction& transaction) {
        return access::record_finding(transaction, claim.account, claim.domain, finding, now);
      });
  if (!looked && looked.error().kind == ErrorKind::not_found) co_return Result<void>{};  // removed
  if (!looked) co_return fail(std::move(looked.error()));
  if (looked->changed) {
    const auto account = co_await store_.read(
        [key = claim.account](store::ReadTransaction& reader) -> Result<std::string> {
          return store::account_name(reader, key);
        });
    log::info("domain looked at", {{"account", account.value_or(std::string())},
                                   {"domain", claim.domain},
                                   {"proven", looked->claim.state == store::DomainState::proven}});
  }
  co_return Result<void>{};
}

}  // namespace todoku::app
