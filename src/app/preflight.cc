// SPDX-License-Identifier: Apache-2.0
#include "app/preflight.h"

#include <algorithm>
#include <chrono>
#include <map>
#include <string>
#include <string_view>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "doctor/author_domains.h"
#include "mail/address.h"
#include "mailauth/dkim/message.h"
#include "mime/insert_code.h"
#include "store/domain_counts.h"
#include "store/walks.h"

namespace todoku::app {
namespace {

constexpr std::size_t kCodesMax = 100;  // of one delivery's texts
constexpr std::size_t kCodesNamed = 10;

// Until when composing and counting go on.
struct InTime {
  const Clock& clock;
  SteadyInstant end{};
  [[nodiscard]] bool is_over() const { return clock.steady_now() >= end; }
};

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

std::string filled(const std::string& text, mime::KeyForms forms, mime::ValueForm form,
                   const store::SampledRecipient& recipient) {
  mime::InsertKeys keys;
  const mime::CompiledText compiled(text, keys, forms);
  std::vector<mime::InsertCodeView> views;
  mime::InsertValues values;
  values.resolve(keys, mime::view_codes(recipient.insert_codes, views),
                 {.plain = false, .html = form == mime::ValueForm::html});
  std::string out;
  compiled.append_to(out, values, form);
  return out;
}

// The codes that the sample has values for, as in __name__ __code__.
std::string codes_of(const std::vector<store::SampledRecipient>& sample) {
  std::vector<std::string_view> known;
  for (const store::SampledRecipient& recipient : sample) {
    for (const InsertCode& code : recipient.insert_codes) {
      if (known.size() >= kCodesNamed) break;
      if (std::ranges::find(known, code.key) == known.end()) known.emplace_back(code.key);
    }
  }
  return fmt::format("{}", fmt::join(known, " "));
}

// Codes that some of the sample have no value for, or all: most often misspelt, or a column is
// missing.
std::vector<doctor::MissingCode> missing_codes(const delivery::DrawnLetter& drawn) {
  std::vector<mime::CodeUse> uses;
  const mime::KeyForms forms = mime::key_forms(drawn.texts);
  for (const std::string* text :
       {&drawn.texts.subject, &drawn.texts.text_part, &drawn.texts.html_part}) {
    mime::add_code_uses(*text, forms, uses, kCodesMax);
  }
  std::vector<doctor::MissingCode> missing;
  for (const auto& [key, has_default] : uses) {
    if (has_default) continue;
    const auto lacks = [&wanted = key](const store::SampledRecipient& recipient) {
      return std::ranges::find(recipient.insert_codes, wanted, &InsertCode::key) ==
             recipient.insert_codes.end();
    };
    const auto without = static_cast<std::size_t>(std::ranges::count_if(drawn.sample, lacks));
    if (without == 0) continue;
    const bool nobody_has_it = without == drawn.sample.size();
    missing.push_back({.key = key,
                       .without = without,
                       .known = nobody_has_it ? codes_of(drawn.sample) : std::string()});
  }
  return missing;
}

doctor::SampleContent content_for(const delivery::DrawnLetter& drawn,
                                  const store::SampledRecipient& recipient,
                                  bool charset_fell_back) {
  const Content& texts = drawn.texts;
  const mime::KeyForms forms = mime::key_forms(texts);
  const auto values = texts.escape == Escape::html ? mime::ValueForm::html : mime::ValueForm::body;
  doctor::SampleContent content{
      .is_bulk = drawn.delivery.type == DeliveryType::bulk,
      .is_advertisement = drawn.letter->purpose == Purpose::advertisement,
      .from_name = texts.from.name,
      .text = filled(texts.text_part, forms, mime::ValueForm::body, recipient),
      .html = filled(texts.html_part, forms, values, recipient),
      .text_is_made = texts.text_from_html,
      .charset_fell_back = charset_fell_back};
  return content;
}

// Places of a list, the first, the last and others evenly between.
std::vector<std::size_t> spread(std::size_t size, std::size_t wanted) {
  std::vector<std::size_t> places;
  const std::size_t most = std::min(size, wanted);
  for (std::size_t i = 0; i < most; ++i)
    places.push_back(most == 1 ? 0 : i * (size - 1) / (most - 1));
  return places;
}

Task<Result<void>> compose_some(
    const delivery::SampleLetters& letters,  // NOLINT(*-reference-coroutine-parameters)
    const delivery::DrawnLetter& drawn,      // NOLINT(*-reference-coroutine-parameters)
    const InTime& time,                      // NOLINT(*-reference-coroutine-parameters)
    doctor::PreflightInput& input) {         // NOLINT(*-reference-coroutine-parameters)
  std::size_t octets = 0;
  for (const std::size_t place : spread(drawn.sample.size(), kMessagesComposed)) {
    if (octets > 0 && (octets >= kComposedOctetsMax || time.is_over())) break;
    auto copy = co_await letters.compose(drawn, place);
    if (!copy) {
      // Nobody gets this one; that is told where it is sent.
      const bool is_its_own = copy.error().kind == ErrorKind::cancelled ||
                              copy.error().kind == ErrorKind::limit_exceeded;
      if (is_its_own) continue;
      co_return fail(std::move(copy.error()));
    }
    const store::SampledRecipient& recipient = drawn.sample[place];
    octets += copy->octets.size();
    input.samples.push_back({.recipient = recipient.address,
                             .octets = std::move(copy->octets),
                             .mail_from = letters.mail_from(drawn, place)});
    input.contents.push_back(content_for(drawn, recipient, copy->charset_fell_back));
  }
  co_return Result<void>{};
}

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

std::vector<doctor::AudienceDomain> domains_of_sample(const delivery::DrawnLetter& drawn) {
  std::map<std::string, std::int64_t> counts;
  for (const store::SampledRecipient& recipient : drawn.sample) {
    if (const auto address = parse_address(recipient.address)) ++counts[address->domain];
  }
  std::vector<doctor::AudienceDomain> domains;
  for (const auto& [domain, count] : counts) {
    domains.push_back({.domain = domain, .recipients = count});
  }
  return domains;
}

bool is_asked_about(const std::string& domain) {
  return !domain.empty() && !domain.starts_with('[');
}

}  // namespace

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
                               .asks_anyway = terms.asks_anyway};
  coverage.domains_of_sample = !histogram.known() || input.audience.sampled == 0;
  if (coverage.domains_of_sample) {
    questions.domains = domains_of_sample(*drawn);
    std::erase_if(questions.domains, [](const auto& each) { return !is_asked_about(each.domain); });
    if (questions.domains.size() > kDomainsAsked) questions.domains.resize(kDomainsAsked);
  } else {
    const auto chosen = histogram.largest_and_some(kDomainsAsked, kSmallerDomainsAsked);
    for (std::size_t i = 0; i < chosen.size(); ++i) {
      if (!is_asked_about(chosen[i].domain)) continue;
      if (i >= kDomainsAsked) ++coverage.smaller_domains_asked;
      questions.domains.push_back({.domain = chosen[i].domain, .recipients = chosen[i].recipients});
    }
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
  questions.within =
      std::max(Milliseconds(0),
               std::chrono::floor<Milliseconds>(begun + terms.within - world_.clock.steady_now()));
  PreflightAnswers answers = co_await answer_preflight(world_.names, std::move(questions));
  input.samples = std::move(answers.samples);
  input.authentication = std::move(answers.authentication);
  input.audience.domains = std::move(answers.domains);
  coverage.domains_asked = static_cast<std::int64_t>(input.audience.domains.size());
  for (const doctor::AudienceDomain& each : input.audience.domains) {
    coverage.recipients_asked += each.recipients;
    if (each.state != doctor::DomainState::open) ++coverage.domains_answered;
  }
  co_return doctor::preflight_report(input, fmt::format("{}", delivery));
}

}  // namespace todoku::app
