// SPDX-License-Identifier: Apache-2.0
// POST /deliveries/transaction/batch: many different mails in one request, each with an answer of
// its own. Not in the contract: there a mail costs a request, and requests are counted.
#include <algorithm>
#include <chrono>
#include <cstddef>
#include <exception>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/json/array.hpp>
#include <fmt/format.h>

#include "api/api.h"
#include "api/fields.h"
#include "api/form.h"
#include "api/idempotency.h"
#include "api/members.h"
#include "api/message_id.h"
#include "api/transaction_request.h"
#include "async/callback.h"
#include "async/task_group.h"
#include "async/yield.h"
#include "intake/fingerprint.h"
#include "intake/inline_parts.h"

namespace todoku::api {
namespace {

constexpr std::size_t kMailsMax = 1'000;
constexpr std::size_t kOctetsMax = std::size_t{16} * 1024 * 1024;
// So many of one request wait for the store at once: enough to share its commits, and others' mail
// does not wait behind a thousand.
constexpr std::size_t kTogether = 64;
// Of all mails together; beyond that each is told its first problem only.
constexpr std::size_t kProblemsTold = 1'000;

constexpr int kTryLater = 503;

using Accepted = intake::Answer<intake::Made>;

// What is shared by those who work on one request. Whoever is last to need it lets it go.
struct Batch {
  Api& api;
  store::Account account;
  std::optional<store::IdempotencyKey> key;
  std::vector<intake::TransactionRequest> mails;
  std::vector<intake::Problems> problems;  // of their form
  std::vector<std::optional<Accepted>> answers;
  std::vector<std::string> message_ids;  // of those that were accepted
  std::vector<std::string> warnings;     // of all
  std::size_t next = 0;
  std::size_t working = 0;
  bool stops = false;  // the store takes nothing now: what is left is not tried
  async::Callback<bool> done;
};

Accepted not_tried() {
  return std::unexpected(
      intake::refusal_of({ErrorKind::unavailable, "a mail before this one could not be stored"}));
}

// A mail that stands in its place in a batch with a key is accepted once.
Task<Accepted> accept(Batch& batch, std::size_t i) {
  intake::Repeatable repeatable;
  batch.warnings[i] = intake::inline_warning(batch.mails[i].content);
  if (batch.key && batch.problems[i].empty()) {
    const auto digests = co_await intake::digests_of(batch.mails[i].content.attachments);
    repeatable = {.key = key_of_mail(*batch.key, i),
                  .fingerprint = intake::fingerprint_of(batch.mails[i], digests)};
  }
  const auto make = [&](intake::Repeatable its) {
    return batch.api.intake().accept_transaction(batch.account, std::move(batch.mails[i]),
                                                 std::move(batch.problems[i]), its);
  };
  auto made = co_await batch.api.intake().repeats().once(repeatable, make);
  if (made) {
    const auto delivery = co_await delivery_made(batch.api, batch.account.key, *made);
    batch.message_ids[i] = message_id_of(batch.api, delivery);
  }
  co_return made;
}

// All on the thread of the request: a mail is taken and answered without a lock.
Task<void> work(std::shared_ptr<Batch> batch) {
  while (batch->next < batch->mails.size() && !batch->stops) {
    const std::size_t i = batch->next++;
    if (batch->answers[i]) continue;
    try {
      batch->answers[i] = co_await accept(*batch, i);
      const Accepted& answer = *batch->answers[i];
      if (!answer && status_of(answer.error()) == kTryLater) batch->stops = true;
    } catch (...) {
      batch->stops = true;
      async::report_exception("a mail of a batch", std::current_exception());
    }
  }
  if (--batch->working == 0) batch->done(true);
}

Task<void> accept_all(std::shared_ptr<Batch> batch) {
  const async::Executor executor = co_await boost::asio::this_coro::executor;
  const std::size_t workers = std::min(kTogether, batch->mails.size());
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
    if (--batch->working == 0) batch->done(true);
  });
}

// The response says what is wrong with the request as a whole.
Task<std::optional<http::Response>> read_mails(Call& call, Batch& batch) {
  const intake::Limits& limits = batch.api.intake().limits();
  http::JsonLimits json = batch.api.json_limits();
  json.octets_max = kOctetsMax;
  json.elements_max = std::max(json.elements_max, kMailsMax);
  Form form;
  if (auto bad = co_await read_object(call, json, form)) co_return bad;
  call.unknown = unknown_members(form.object(), members::kTransactionBatch);

  intake::Problems whole;
  const boost::json::array* const mails =
      Fields(form.object(), {}, whole).array("mails", kMailsMax);
  if (whole.empty() && (mails == nullptr || mails->empty())) {
    whole.add({"mails"}, intake::texts::required());
  }
  for (std::size_t i = 0; whole.empty() && i < mails->size(); ++i) {
    const boost::json::value& mail = (*mails)[i];
    intake::Problems& problems = batch.problems.emplace_back();
    batch.mails.emplace_back();
    batch.message_ids.emplace_back();
    batch.warnings.emplace_back();
    std::optional<Accepted>& answer = batch.answers.emplace_back();
    if (mail.is_object()) {
      batch.mails.back() = read_transaction(mail.get_object(), limits, problems);
    } else {
      problems.add({}, intake::texts::wrong_type("an object", "オブジェクト"));
      answer.emplace(
          std::unexpected(intake::Refusal{ErrorKind::invalid_input, std::move(problems)}));
    }
    co_await async::give_way();
  }
  if (!whole.empty()) co_return invalid(whole, call.language);
  co_return std::nullopt;
}

// Writes what became of each mail, in their order.
class Answers {
 public:
  explicit Answers(Language language) : language_(language) {
    json_.begin_object();
    json_.key("data");
    json_.begin_array();
  }

  void add(const Accepted& answer, std::string_view message_id, std::string_view warning) {
    json_.begin_object();
    if (answer) {
      ++accepted_;
      json_.member("status", kCreated);
      json_.member("delivery_id", answer->answer);
      if (answer->replayed) {
        ++replayed_;
        json_.member("replayed", true);
      }
      if (!message_id.empty()) json_.member("message_id", message_id);
      if (!warning.empty()) json_.member("warning", warning);
    } else {
      ++refused_;
      add_refusal(answer.error());
    }
    json_.end_object();
  }

  // 201: all are accepted; 207: some; else what the mails were refused with.
  [[nodiscard]] http::Response response() {
    json_.end_array();
    json_.member("accepted_count", accepted_);
    json_.member("refused_count", refused_);
    int status = refused_ == 0 ? kCreated : kMixed;
    if (accepted_ == 0) {
      status = status_;
      intake::Problems none;
      none.add({}, {fmt::format("none of the {} mails was accepted: data says why.", refused_),
                    fmt::format("{}通のメールはいずれも受け付けられませんでした。理由はdataに"
                                "あります。",
                                refused_)});
      add_error_messages(json_, none, language_);
    }
    json_.end_object();
    auto response = http::Response::json(status, json_.take());
    if (accepted_ > 0 && replayed_ == accepted_) response.headers.set(kReplayedHeader, "true");
    if (in_progress_) response.headers.set("Retry-After", kInProgressSeconds);
    if (free_in_) say_when_free(response, *free_in_, limit_);
    return response;
  }

 private:
  static constexpr int kCreated = 201;
  static constexpr int kMixed = 207;

  void add_refusal(const intake::Refusal& refusal) {
    const int status = status_of(refusal);
    if (status_ == 0 || status == kTryLater) status_ = status;
    in_progress_ = in_progress_ || refusal.key == intake::Refusal::Key::in_progress;
    if (refusal.retry_after) {
      free_in_ = refusal.retry_after;
      limit_ = refusal.limit;
    }
    json_.member("status", status);
    const auto& problems = refusal.problems.list();
    if (told_ >= kProblemsTold && problems.size() > 1) {
      intake::Problems first;
      first.add(problems[0].path, problems[0].text);
      add_error_messages(json_, first, language_);
      ++told_;
    } else {
      add_error_messages(json_, refusal.problems, language_);
      told_ += problems.size();
    }
  }

  Language language_;
  http::JsonWriter json_;
  std::size_t accepted_ = 0;
  std::size_t replayed_ = 0;
  std::size_t refused_ = 0;
  std::size_t told_ = 0;
  int status_ = 0;
  bool in_progress_ = false;  // one of them, by another request
  // Of the last that was refused by a limit in time.
  std::optional<std::chrono::seconds> free_in_;
  std::string_view limit_;
};

Task<http::Response> add_transactions(Api& api, Call& call) {
  auto key = key_of_request(call, store::KeyedRoute::mail_of_batch);
  if (!key) co_return std::move(key.error());
  const auto batch = std::make_shared<Batch>(Batch{.api = api,
                                                   .account = call.account,
                                                   .key = *key,
                                                   .mails = {},
                                                   .problems = {},
                                                   .answers = {},
                                                   .message_ids = {},
                                                   .warnings = {},
                                                   .done = {}});
  if (auto bad = co_await read_mails(call, *batch)) co_return std::move(*bad);
  co_await accept_all(batch);
  Answers answers(call.language);
  for (std::size_t i = 0; i < batch->answers.size(); ++i) {
    const std::optional<Accepted>& answer = batch->answers[i];
    answers.add(answer ? *answer : not_tried(), batch->message_ids[i], batch->warnings[i]);
  }
  co_return answers.response();
}

}  // namespace

void add_transaction_batch_routes(Api& api, http::Router& router) {
  api.add(router, http::Method::post, "/deliveries/transaction/batch", kSend,
          {.body_max = kOctetsMax}, &add_transactions);
}

}  // namespace todoku::api
