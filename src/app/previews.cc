// SPDX-License-Identifier: Apache-2.0
#include "app/previews.h"

#include <algorithm>
#include <optional>
#include <string>
#include <vector>

#include "app/sample_facts.h"
#include "store/walks.h"

namespace todoku::app {
namespace {

// A walk (store/walks.h): which mail of an address is a delivery's.
class MailOfDelivery {
 public:
  MailOfDelivery(store::AccountKey account, store::DeliveryKey delivery, std::string address)
      : account_(account), delivery_(delivery), address_(std::move(address)) {}

  [[nodiscard]] Result<bool> step(store::ReadTransaction& transaction) {
    constexpr std::int64_t kPage = 100;
    const auto page = transaction.stories(address_, account_, kPage, place_);
    if (!page) return fail(page.error());
    looked_through_ += static_cast<int>(page->stories.size());
    const auto its = std::ranges::find_if(page->stories, [&](const store::Story& story) {
      return story.key.delivery == delivery_ && equals_ignoring_case(story.address, address_);
    });
    place_ = page->next;
    if (its == page->stories.end()) {
      return !place_ || looked_through_ >= kStoriesLookedThrough;
    }
    auto recipient = transaction.recipient(account_, its->email_id);
    if (!recipient) return fail(std::move(recipient.error()));
    found_ = {.key = recipient->key,
              .address = std::move(recipient->address),
              .insert_codes = std::move(recipient->insert_codes)};
    return true;
  }
  [[nodiscard]] std::optional<store::SampledRecipient> take() { return std::move(found_); }

 private:
  const store::AccountKey account_;
  const store::DeliveryKey delivery_;
  const std::string address_;
  std::optional<std::int64_t> place_;
  int looked_through_ = 0;
  std::optional<store::SampledRecipient> found_;
};

store::Delivery unstored(const store::Account& account, const api::PreviewWish& wish) {
  store::Delivery delivery;
  delivery.account = account.key;
  delivery.type = wish.type;
  delivery.traffic =
      wish.type == DeliveryType::bulk ? TrafficClass::bulk : TrafficClass::transactional;
  return delivery;
}

Error no_recipient() {
  return {ErrorKind::not_found, "it is no recipient of this delivery"};
}

Result<store::SampledRecipient> recipient_in(const std::vector<store::SampledRecipient>& recipients,
                                             std::string_view email) {
  const auto its = std::ranges::find_if(recipients, [&](const store::SampledRecipient& each) {
    return equals_ignoring_case(each.address, email);
  });
  if (its == recipients.end()) return fail(no_recipient());
  return *its;
}

}  // namespace

Task<Result<store::SampledRecipient>> ComposedPreviews::recipient_of(store::AccountKey account,
                                                                     store::DeliveryKey delivery,
                                                                     std::string email) const {
  MailOfDelivery looking(account, delivery, std::move(email));
  const auto walked = co_await store::walk(store_, looking);
  if (!walked) co_return fail(walked.error());
  auto found = looking.take();
  if (!found) co_return fail(no_recipient());
  co_return std::move(*found);
}

Task<Result<ComposedPreviews::Drawn>> ComposedPreviews::draw(store::Account account,
                                                             api::PreviewWish wish,
                                                             std::size_t sample_max) const {
  Drawn drawn;
  if (wish.delivery) {
    delivery::DrawnOtherwise otherwise{.change = std::move(wish.change)};
    auto letter = co_await letters_.draw(account.key, *wish.delivery, sample_max, clock_.now(),
                                         std::move(otherwise));
    if (!letter) co_return fail(std::move(letter.error()));
    drawn.letter = std::move(*letter);
    if (wish.recipients) {
      drawn.letter.delivery.counts.total = static_cast<std::int64_t>(wish.recipients->size());
      drawn.letter.sample = *wish.recipients;
      if (drawn.letter.sample.size() > sample_max) drawn.letter.sample.resize(sample_max);
    }
  } else {
    Content content;
    content.text_from_html = account.text_from_html;
    store::Delivery delivery = unstored(account, wish);
    if (wish.change) wish.change(content, delivery.labels);
    auto letter =
        co_await letters_.draw_unstored(std::move(delivery), std::move(content), clock_.now());
    if (!letter) co_return fail(std::move(letter.error()));
    drawn.letter = std::move(*letter);
  }
  auto& sample = drawn.letter.sample;
  drawn.is_recipient = !sample.empty();
  if (!wish.email.empty()) {
    store::SampledRecipient named{.key = {}, .address = wish.email, .insert_codes = {}};
    drawn.is_recipient = false;
    if (wish.delivery) {
      Result<store::SampledRecipient> found = fail(no_recipient());
      if (wish.recipients) {
        found = recipient_in(*wish.recipients, wish.email);
      } else {
        found = co_await recipient_of(account.key, drawn.letter.delivery.key, wish.email);
      }
      drawn.is_recipient = found.has_value();
      // Whose values are given need not be registered.
      const bool may_be_anybody =
          !found && found.error().kind == ErrorKind::not_found && wish.insert_codes;
      if (!found && !may_be_anybody) co_return fail(std::move(found.error()));
      if (found) named = std::move(*found);
    }
    sample.clear();
    sample.push_back(std::move(named));
  } else if (sample.empty()) {
    sample.push_back({.key = {}, .address = std::string(api::kPreviewedAddress)});
  } else if (wish.insert_codes) {
    sample.resize(1);
  }
  if (wish.insert_codes) sample.front().insert_codes = std::move(*wish.insert_codes);
  for (auto& recipient : sample) recipient.key.delivery = drawn.letter.delivery.key;
  co_return drawn;
}

Task<Result<api::Preview>> ComposedPreviews::preview(store::Account account,
                                                     api::PreviewWish wish) {
  const auto drawn = co_await draw(std::move(account), std::move(wish), 1);
  if (!drawn) co_return fail(drawn.error());
  const delivery::DrawnLetter& letter = drawn->letter;
  auto copy = co_await letters_.compose(letter, 0);
  if (!copy) co_return fail(std::move(copy.error()));
  delivery::kill_signatures(copy->octets);
  api::Preview preview{.email = letter.sample.front().address,
                       .is_recipient = drawn->is_recipient,
                       .mail_from = letters_.mail_from(letter, 0),
                       .octets = std::move(copy->octets),
                       .charset_fell_back = copy->charset_fell_back};
  for (doctor::MissingCode& missing : missing_codes(letter)) {
    preview.missing_codes.push_back(std::move(missing.key));
  }
  co_return preview;
}

Task<Result<doctor::PreflightReport>> ComposedPreviews::lint(store::Account account,
                                                             api::PreviewWish wish) {
  const InTime time{.clock = clock_, .end = clock_.steady_now() + kLintWithin};
  const auto drawn = co_await draw(std::move(account), std::move(wish), kRecipientsSampled);
  if (!drawn) co_return fail(drawn.error());
  doctor::PreflightInput input;
  input.is_bulk = drawn->letter.delivery.type == DeliveryType::bulk;
  const auto composed = co_await compose_some(letters_, drawn->letter, time, input);
  if (!composed) co_return fail(composed.error());
  for (doctor::SampleMail& sample : input.samples) delivery::kill_signatures(sample.octets);
  input.missing_codes = missing_codes(drawn->letter);
  input.audience.sampled = drawn->letter.sample.size();
  input.audience.domains = domains_of_sample(drawn->letter);
  input.coverage.recipients = drawn->letter.delivery.counts.total;
  input.coverage.sampled = static_cast<std::int64_t>(input.audience.sampled);
  input.coverage.composed = static_cast<std::int64_t>(input.samples.size());
  co_return doctor::lint_report(input);
}

}  // namespace todoku::app
