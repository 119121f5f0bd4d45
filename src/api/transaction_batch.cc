// SPDX-License-Identifier: Apache-2.0
// POST /deliveries/transaction/batch: many different mails in one request, each with an answer of
// its own. Not in the contract: there a mail costs a request, and requests are counted.
#include <algorithm>
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
#include "api/members.h"
#include "api/transaction_request.h"
#include "async/callback.h"
#include "async/task_group.h"
#include "async/yield.h"

namespace todoku::api {
namespace {

constexpr std::size_t kMailsMax = 1'000;
constexpr std::size_t kOctetsMax = std::size_t{16} * 1024 * 1024;
// So many of one request wait for the store at once: enough to share its commits, and others' mail
// does not wait behind a thousand.
constexpr std::size_t kTogether = 64;
// Of all mails together; beyond that each is told its first problem only.
constexpr std::size_t kProblemsTold = 1'000;

using Accepted = intake::Answer<store::PublicId>;

// What is shared by those who work on one request. Whoever is last to need it lets it go.
struct Batch {
  Api& api;
  store::Account account;
  std::vector<intake::TransactionRequest> mails;
  std::vector<intake::Problems> problems;  // of their form
  std::vector<std::optional<Accepted>> answers;
  std::size_t next = 0;
  std::size_t working = 0;
  async::Callback<bool> done;
};

Accepted broken() {
  return std::unexpected(intake::refusal_of({ErrorKind::unavailable, "no memory for this mail"}));
}

// All on the thread of the request: a mail is taken and answered without a lock.
Task<void> work(std::shared_ptr<Batch> batch) {
  while (batch->next < batch->mails.size()) {
    const std::size_t i = batch->next++;
    if (batch->answers[i]) continue;
    try {
      batch->answers[i] = co_await batch->api.intake().accept_transaction(
          batch->account, std::move(batch->mails[i]), std::move(batch->problems[i]));
    } catch (...) {
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

class Answers {
 public:
  explicit Answers(Language language) : language_(language) {}

  void add(const Accepted& answer) {
    if (!body_.empty()) body_ += ',';
    if (answer) {
      ++accepted_;
      body_ += fmt::format(R"({{"status":201,"delivery_id":{}}})", *answer);
      return;
    }
    ++refused_;
    intake::Refusal refusal = answer.error();
    if (told_ >= kProblemsTold && refusal.problems.list().size() > 1) {
      refusal = intake::Refusal::of(refusal.kind, intake::Text(refusal.problems.list()[0].text));
    }
    told_ += refusal.problems.list().size();
    const http::Response alone = refused(refusal, language_);
    if (status_ == 0 || alone.status == 503) status_ = alone.status;
    // {"error_messages":...} with the status before.
    body_ +=
        fmt::format(R"({{"status":{},{})", alone.status, std::string_view(alone.body).substr(1));
  }

  // 201: all are accepted; 207: some; else what the mails were refused with.
  [[nodiscard]] http::Response response() const {
    std::string members = fmt::format(R"("data":[{}],"accepted_count":{},"refused_count":{})",
                                      body_, accepted_, refused_);
    if (accepted_ > 0) {
      return http::Response::json(refused_ == 0 ? 201 : 207, fmt::format("{{{}}}", members));
    }
    http::Response none =
        refused(status_,
                {fmt::format("none of the {} mails was accepted: data says why.", refused_),
                 fmt::format("{}通のメールはいずれも受け付けられませんでした。理由はdataに"
                             "あります。",
                             refused_)},
                language_);
    none.body.pop_back();
    none.body += fmt::format(",{}}}", members);
    return none;
  }

 private:
  Language language_;
  std::string body_;
  std::size_t accepted_ = 0;
  std::size_t refused_ = 0;
  std::size_t told_ = 0;
  int status_ = 0;
};

Task<http::Response> add_transactions(Api& api, Call& call) {
  const auto batch = std::make_shared<Batch>(Batch{
      .api = api, .account = call.account, .mails = {}, .problems = {}, .answers = {}, .done = {}});
  if (auto bad = co_await read_mails(call, *batch)) co_return std::move(*bad);
  co_await accept_all(batch);
  Answers answers(call.language);
  for (const std::optional<Accepted>& answer : batch->answers) {
    answers.add(answer ? *answer : broken());
  }
  co_return answers.response();
}

}  // namespace

void add_transaction_batch_routes(Api& api, http::Router& router) {
  api.add(router, http::Method::post, "/deliveries/transaction/batch", kSend,
          {.body_max = kOctetsMax}, &add_transactions);
}

}  // namespace todoku::api
