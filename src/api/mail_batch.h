// SPDX-License-Identifier: Apache-2.0
// Many different mails of one request, each accepted or refused for itself.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "api/api.h"
#include "async/callback.h"
#include "intake/problem.h"
#include "intake/repeats.h"
#include "intake/request.h"

namespace todoku::api {

// So many of one request wait for the store at once: enough to share its commits, and others' mail
// does not wait behind a thousand. They are taken in their order: before one of the first has an
// answer, none of the others is tried.
inline constexpr std::size_t kMailsTogether = 64;

// A mail that was read, with what is wrong with its form.
struct ReadMail {
  intake::TransactionRequest request;
  intake::Problems problems;
};

// What is shared by those who work on one request. Whoever is last to need it lets it go.
struct MailBatch {
  Api& api;
  store::Account account;
  std::optional<store::IdempotencyKey> key;
  // The mail at a place, asked for once, shortly before it is accepted. It holds what it needs: the
  // request may be over before those who work on it.
  std::function<ReadMail(std::size_t)> take;
  // As many as there are mails. What has an answer is not tried.
  std::vector<std::optional<intake::Answer<intake::Made>>> answers = {};
  std::vector<std::string> message_ids = {};  // of those that were accepted
  std::vector<std::string> warnings = {};     // of all
  // What intake has admitted for the mail at a place, in copies. 0: it is admitted when it is
  // accepted. What is left when all have their answers is given back.
  std::vector<std::int64_t> counted = {};
  std::size_t next = 0;
  std::size_t working = 0;
  bool stops = false;  // the store takes nothing now: what is left is not tried
  async::Callback<bool> done = {};

  void resize(std::size_t mails) {
    answers.resize(mails);
    message_ids.resize(mails);
    warnings.resize(mails);
    counted.resize(mails);
  }
  // What became of a mail; of one that was not tried, that.
  [[nodiscard]] intake::Answer<intake::Made> answer(std::size_t place) const;
};

// Accepts them, some together, on the thread of the request.
[[nodiscard]] Task<void> accept_all(std::shared_ptr<MailBatch> batch);

}  // namespace todoku::api
