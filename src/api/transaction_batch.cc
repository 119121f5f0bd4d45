// SPDX-License-Identifier: Apache-2.0
// POST /deliveries/transaction/batch: many different mails in one request, each with an answer of
// its own. Not in the contract: there a mail costs a request, and requests are counted.
#include <algorithm>
#include <chrono>
#include <cstddef>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include <boost/json/array.hpp>
#include <fmt/format.h>

#include "api/api.h"
#include "api/fields.h"
#include "api/form.h"
#include "api/idempotency.h"
#include "api/mail_batch.h"
#include "api/members.h"
#include "api/transaction_request.h"
#include "async/yield.h"

namespace todoku::api {
namespace {

constexpr std::size_t kMailsMax = 1'000;
constexpr std::size_t kOctetsMax = std::size_t{16} * 1024 * 1024;
// Of all mails together; beyond that each is told its first problem only.
constexpr std::size_t kProblemsTold = 1'000;

constexpr int kTryLater = 503;

using Accepted = intake::Answer<intake::Made>;

struct Batch {
  std::shared_ptr<MailBatch> shared;
  std::shared_ptr<std::vector<ReadMail>> mails;
};

// The response says what is wrong with the request as a whole.
Task<std::optional<http::Response>> read_mails(Call& call, Batch& batch) {
  Api& api = batch.shared->api;
  const intake::Limits& limits = api.intake().limits();
  http::JsonLimits json = api.json_limits();
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
    ReadMail& read = batch.mails->emplace_back();
    batch.shared->resize(i + 1);
    if (mail.is_object()) {
      read.request = read_transaction(mail.get_object(), limits, read.problems);
    } else {
      read.problems.add({}, intake::texts::wrong_type("an object", "オブジェクト"));
      batch.shared->answers[i].emplace(
          std::unexpected(intake::Refusal{ErrorKind::invalid_input, std::move(read.problems)}));
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
  Batch batch{.shared = nullptr, .mails = std::make_shared<std::vector<ReadMail>>()};
  batch.shared = std::make_shared<MailBatch>(
      MailBatch{.api = api,
                .account = call.account,
                .key = *key,
                .take = [mails = batch.mails](std::size_t i) { return std::move((*mails)[i]); }});
  if (auto bad = co_await read_mails(call, batch)) co_return std::move(*bad);
  co_await accept_all(batch.shared);
  const MailBatch& shared = *batch.shared;
  Answers answers(call.language);
  for (std::size_t i = 0; i < shared.answers.size(); ++i) {
    answers.add(shared.answer(i), shared.message_ids[i], shared.warnings[i]);
  }
  co_return answers.response();
}

}  // namespace

void add_transaction_batch_routes(Api& api, http::Router& router) {
  api.add(router, http::Method::post, "/deliveries/transaction/batch", kSend,
          {.body_max = kOctetsMax}, &add_transactions);
}

}  // namespace todoku::api
