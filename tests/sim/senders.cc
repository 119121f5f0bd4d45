// SPDX-License-Identifier: Apache-2.0
#include "sim/senders.h"

#include <utility>

namespace todoku::sim {
namespace {

Content content_of(const Scenario& scenario, std::size_t mailing) {
  const Mailing& script = scenario.mailings[mailing];
  Content content;
  content.from = {"news@sender.example", "The Sender"};
  content.subject = subject_of(mailing);
  if (script.traffic == TrafficClass::bulk) {
    content.text_part = "__code__\n";
  } else {
    for (std::size_t i = 0; i < script.domains.size(); ++i) {
      content.text_part += code_of(address_of(scenario, mailing, i)) + "\n";
    }
  }
  while (content.text_part.size() < script.filler) {
    content.text_part += "All work and no play makes a dull mail.\n";
  }
  return content;
}

}  // namespace

std::string address_of(const Scenario& scenario, std::size_t mailing, std::size_t recipient) {
  return fmt::format("m{}-{}@{}", mailing, recipient,
                     scenario.mailings[mailing].domains[recipient]);
}

std::string subject_of(std::size_t mailing) {
  return fmt::format("mailing {}", mailing);
}

Task<void> Senders::hand_in(Engine& engine, std::size_t mailing) {
  HandedIn& state = handed_in_[mailing];
  state.at = clock_.steady_now();
  const bool bulk = scenario_.mailings[mailing].traffic == TrafficClass::bulk;
  state.told =
      bulk ? co_await hand_in_bulk(engine, mailing) : co_await hand_in_transaction(engine, mailing);
  state.answered = clock_.steady_now();
  if (state.told == Told::refused && engine.is_dead()) state.told = Told::unclear;
  constexpr std::string_view words[] = {"", "accepted", "refused", "unclear"};
  trace_.line("mailing {} {}", mailing, words[static_cast<std::size_t>(state.told)]);
}

Task<Told> Senders::hand_in_transaction(Engine& engine, std::size_t mailing) {
  const Mailing& script = scenario_.mailings[mailing];
  intake::TransactionRequest request;
  request.content = content_of(scenario_, mailing);
  request.at_most_once = script.at_most_once;
  request.to = address_of(scenario_, mailing, 0);
  for (std::size_t i = 1; i < script.domains.size(); ++i) {
    request.cc.push_back(address_of(scenario_, mailing, i));
  }
  const auto answer =
      co_await engine.intake().accept_transaction(accounts_[script.account], std::move(request));
  if (answer) co_return Told::accepted;
  co_return answer.error().kind == ErrorKind::io ? Told::unclear : Told::refused;
}

Task<Told> Senders::hand_in_bulk(Engine& engine, std::size_t mailing) {
  const Mailing& script = scenario_.mailings[mailing];
  const store::NewDelivery delivery{.account = accounts_[script.account].key,
                                    .type = DeliveryType::bulk,
                                    .traffic = TrafficClass::bulk,
                                    .content = content_of(scenario_, mailing),
                                    .at_most_once = script.at_most_once};
  std::vector<store::NewRecipient> recipients;
  for (std::size_t i = 0; i < script.domains.size(); ++i) {
    const std::string address = address_of(scenario_, mailing, i);
    recipients.push_back({address, script.domains[i], {{"__code__", code_of(address)}}});
  }
  const SimClock* clock = &clock_;
  const Microseconds later = script.reserved_for;
  const auto stored = co_await engine.store().write(
      store::WritePriority::accept,
      [delivery, recipients, clock, later](store::WriteTransaction& transaction) -> Result<void> {
        const Instant now = clock->now();
        const auto draft = transaction.create_draft(delivery, 1'000'000);
        if (!draft) return fail(draft.error());
        const auto ids = transaction.append_recipients(draft->key, recipients);
        if (!ids) return fail(ids.error());
        const auto reservation =
            later > Microseconds(0)
                ? std::optional(now + std::chrono::duration_cast<Milliseconds>(later))
                : std::nullopt;
        return transaction.commit_draft(draft->key, reservation, {});
      });
  if (stored) engine.work_arrived();
  co_return stored ? Told::accepted : Told::refused;
}

}  // namespace todoku::sim
