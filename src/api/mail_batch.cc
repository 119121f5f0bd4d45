// SPDX-License-Identifier: Apache-2.0
#include "api/mail_batch.h"

#include <algorithm>
#include <exception>
#include <numeric>
#include <utility>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/this_coro.hpp>

#include "api/idempotency.h"
#include "api/message_id.h"
#include "async/task_group.h"
#include "intake/fingerprint.h"
#include "intake/inline_parts.h"

namespace todoku::api {
namespace {

constexpr int kStoreIsBusy = 503;

using Accepted = intake::Answer<intake::Made>;

// A mail that stands in its place in a batch with a key is accepted once.
Task<Accepted> accept(MailBatch& batch, std::size_t i) {
  ReadMail mail = batch.take(i);
  intake::Repeatable repeatable;
  batch.warnings[i] = intake::inline_warning(mail.request.content);
  if (batch.key && mail.problems.empty()) {
    const auto digests = co_await intake::digests_of(mail.request.content.attachments);
    repeatable = {.key = key_of_mail(*batch.key, i),
                  .fingerprint = intake::fingerprint_of(mail.request, digests)};
  }
  const auto make = [&](intake::Repeatable its) {
    return batch.api.intake().accept_transaction(batch.account, std::move(mail.request),
                                                 std::move(mail.problems), its,
                                                 batch.counted[i] > 0);
  };
  auto made = co_await batch.api.intake().repeats().once(repeatable, make);
  if (made) {
    if (!made->replayed) batch.counted[i] = 0;
    const auto delivery = co_await delivery_made(batch.api, batch.account.key, *made);
    batch.message_ids[i] = message_id_of(batch.api, delivery);
  }
  co_return made;
}

// The last one to go ends it.
void leave_batch(MailBatch& batch) {
  if (--batch.working > 0) return;
  const auto left = std::accumulate(batch.counted.begin(), batch.counted.end(), std::int64_t{0});
  if (left > 0) batch.api.intake().give_back(batch.account, left);
  batch.done(true);
}

// All on the thread of the request: a mail is taken and answered without a lock.
Task<void> work(std::shared_ptr<MailBatch> batch) {
  while (batch->next < batch->answers.size() && !batch->stops) {
    const std::size_t i = batch->next++;
    if (batch->answers[i]) continue;
    try {
      batch->answers[i] = co_await accept(*batch, i);
      const Accepted& answer = *batch->answers[i];
      if (!answer && status_of(answer.error()) == kStoreIsBusy) batch->stops = true;
    } catch (...) {
      batch->stops = true;
      async::report_exception("a mail of a batch", std::current_exception());
    }
  }
  leave_batch(*batch);
}

}  // namespace

Accepted MailBatch::answer(std::size_t place) const {
  if (answers[place]) return *answers[place];
  return std::unexpected(
      intake::refusal_of({ErrorKind::unavailable, "a mail before this one could not be stored"}));
}

Task<void> accept_all(std::shared_ptr<MailBatch> batch) {
  const async::Executor executor = co_await boost::asio::this_coro::executor;
  const std::size_t workers = std::min(kMailsTogether, batch->answers.size());
  (void)co_await async::from_callback<bool>([&](async::Callback<bool> done) {
    batch->done = std::move(done);
    batch->working = 1;  // this one
    for (std::size_t i = 0; i < workers; ++i) {
      ++batch->working;
      try {
        boost::asio::co_spawn(executor, work(batch), boost::asio::detached);
      } catch (...) {
        --batch->working;
        // No memory for another one: those there are do the work, and without any it is refused.
        async::report_exception("a worker of a batch", std::current_exception());
      }
    }
    leave_batch(*batch);
  });
}

}  // namespace todoku::api
