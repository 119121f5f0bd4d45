// SPDX-License-Identifier: Apache-2.0
#include "app/preflight.h"

#include <algorithm>
#include <chrono>
#include <span>
#include <string>
#include <string_view>

#include <fmt/format.h>

#include "doctor/author_domains.h"
#include "mail/address.h"
#include "mail/pace.h"
#include "mailauth/dkim/message.h"
#include "store/domain_counts.h"
#include "store/steering.h"
#include "store/walks.h"

namespace todoku::app {
namespace {

// A walk (store/walks.h) that ends early when its time is over: then nothing is known.
class HistogramInTime {
 public:
  HistogramInTime(store::DeliveryKey key, const InTime& time) : histogram_(key), time_(time) {}

  [[nodiscard]] Result<bool> step(store::ReadTransaction& transaction) {
    if (time_.is_over()) return true;
    return histogram_.step(transaction);
  }
  [[nodiscard]] const store::DomainHistogram& histogram() const { return histogram_; }

 private:
  store::DomainHistogram histogram_;
  const InTime& time_;
};

void look_at_sample(const delivery::DrawnLetter& drawn, doctor::Audience& audience) {
  audience.sampled = drawn.sample.size();
  audience.suppressed = static_cast<std::size_t>(
      std::ranges::count_if(drawn.stopped, [](const auto& reason) { return reason.has_value(); }));
  for (const store::SampledRecipient& recipient : drawn.sample) {
    if (parse_address(recipient.address)) continue;
    ++audience.malformed;
    audience.malformed_such_as = recipient.address;
  }
}

void count_asked(std::span<const doctor::AudienceDomain> domains,
                 doctor::PreflightCoverage& coverage) {
  coverage.domains_asked = static_cast<std::int64_t>(domains.size());
  for (const doctor::AudienceDomain& each : domains) {
    coverage.recipients_asked += each.recipients;
    if (each.state != doctor::DomainState::open) ++coverage.domains_answered;
  }
}

bool is_asked_about(const std::string& domain) {
  return !domain.empty() && !domain.starts_with('[');
}

void choose_domains(const store::DomainHistogram& histogram,
                    std::vector<doctor::AudienceDomain>& domains,
                    doctor::PreflightCoverage& coverage, doctor::Audience& audience) {
  audience.smaller_recipients = histogram.recipients();
  const auto chosen = histogram.largest_and_some(kDomainsAsked, kSmallerDomainsAsked);
  for (std::size_t i = 0; i < chosen.size(); ++i) {
    const bool is_sampled = i >= kDomainsAsked;
    if (!is_sampled) audience.smaller_recipients -= chosen[i].recipients;
    if (!is_asked_about(chosen[i].domain)) continue;
    if (is_sampled) ++coverage.smaller_domains_asked;
    domains.push_back(
        {.domain = chosen[i].domain, .recipients = chosen[i].recipients, .is_sampled = is_sampled});
  }
}

}  // namespace

Task<Result<std::optional<doctor::SlowPace>>> ComposedPreflight::slow_pace(
    store::Delivery delivery, api::PreflightStart start) const {
  auto steering =
      co_await world_.store.read([key = delivery.key](store::ReadTransaction& transaction) {
        return transaction.steering(key);
      });
  if (!steering) co_return fail(std::move(steering.error()));
  store::SteeringRules& rules = steering->rules;
  if (start.steering.pace) rules.pace = *start.steering.pace;
  if (start.steering.quiet) rules.quiet = std::move(*start.steering.quiet);
  if (start.at) delivery.reservation = start.at;
  const auto slow = store::pace_too_slow(delivery, rules, bulk_life_, world_.clock.now());
  std::optional<doctor::SlowPace> told;
  if (slow) {
    told = {.pace = to_string(*rules.pace), .late = slow->late, .ends = slow->ends};
  }
  co_return told;
}

Task<Result<doctor::PreflightReport>> ComposedPreflight::judge(store::AccountKey account,
                                                               store::PublicId delivery,
                                                               api::PreflightTerms terms) {
  const Instant now = world_.clock.now();
  const SteadyInstant begun = world_.clock.steady_now();
  const InTime time{.clock = world_.clock, .end = begun + terms.within / kComposingShare};
  auto drawn = co_await letters_.draw(account, delivery, kRecipientsSampled, now);
  if (!drawn) co_return fail(std::move(drawn.error()));
  doctor::PreflightInput input;
  input.is_bulk = drawn->delivery.type == DeliveryType::bulk;
  const auto composed = co_await compose_some(letters_, *drawn, time, input);
  if (!composed) co_return fail(composed.error());
  input.missing_codes = missing_codes(*drawn);
  look_at_sample(*drawn, input.audience);
  auto slow = co_await slow_pace(drawn->delivery, std::move(terms.start));
  if (!slow) co_return fail(std::move(slow.error()));
  input.slow_pace = std::move(*slow);

  HistogramInTime counting(drawn->delivery.key, time);
  const auto walked = co_await store::walk(world_.store, counting);
  if (!walked) co_return fail(walked.error());
  const store::DomainHistogram& histogram = counting.histogram();
  doctor::PreflightCoverage& coverage = input.coverage;
  PreflightQuestions questions{.samples = std::move(input.samples),
                               .author_domains = {},
                               .sources = sources_,
                               .domains = {},
                               .now = now,
                               .asks_anyway = terms.asks_anyway,
                               .asks_nobody = terms.asks_nobody || asks_nobody_};
  coverage.domains_of_sample = !histogram.known() || input.audience.sampled == 0;
  if (coverage.domains_of_sample) {
    questions.domains = domains_of_sample(*drawn);
    std::erase_if(questions.domains, [](const auto& each) { return !is_asked_about(each.domain); });
    if (questions.domains.size() > kDomainsAsked) questions.domains.resize(kDomainsAsked);
  } else {
    choose_domains(histogram, questions.domains, coverage, input.audience);
  }
  questions.goes_to_docomo = doctor::receivers_of(questions.domains).docomo;
  if (!questions.samples.empty()) {
    const auto view = mailauth::dkim::split_message(questions.samples.front().octets);
    if (auto authors = doctor::author_domains(view)) questions.author_domains = std::move(*authors);
  } else if (const auto from = parse_address(drawn->texts.from.address)) {
    questions.author_domains.push_back(from->domain);
  }

  coverage.recipients = drawn->delivery.counts.total;
  coverage.sampled = static_cast<std::int64_t>(drawn->sample.size());
  coverage.composed = static_cast<std::int64_t>(questions.samples.size());
  const bool asks_nobody = questions.asks_nobody;
  questions.within =
      std::max(Milliseconds(0),
               std::chrono::floor<Milliseconds>(begun + terms.within - world_.clock.steady_now()));
  PreflightAnswers answers = co_await answer_preflight(world_.names, std::move(questions));
  input.samples = std::move(answers.samples);
  input.authentication = std::move(answers.authentication);
  input.audience.domains = std::move(answers.domains);
  if (asks_nobody) coverage.smaller_domains_asked = 0;
  if (!asks_nobody) count_asked(input.audience.domains, coverage);
  co_return doctor::preflight_report(input, fmt::format("{}", delivery));
}

}  // namespace todoku::app
