// SPDX-License-Identifier: Apache-2.0
#include "app/sample_facts.h"

#include <algorithm>
#include <map>
#include <string_view>
#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "mail/address.h"
#include "mail/invisible.h"
#include "mime/insert_code.h"

namespace todoku::app {
namespace {

constexpr std::size_t kCodesMax = 100;  // of one delivery's texts
constexpr std::size_t kCodesNamed = 10;

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
      .braces_are_codes = texts.from_template.has_value(),
      .charset_fell_back = charset_fell_back};
  return content;
}

// Places of a list, the first, the last and others evenly between.
std::vector<std::size_t> evenly_spread(std::size_t size, std::size_t wanted) {
  std::vector<std::size_t> places;
  const std::size_t most = std::min(size, wanted);
  for (std::size_t i = 0; i < most; ++i)
    places.push_back(most == 1 ? 0 : i * (size - 1) / (most - 1));
  return places;
}

}  // namespace

std::vector<doctor::MissingCode> missing_codes(const delivery::DrawnLetter& drawn) {
  std::vector<mime::CodeUse> uses;
  const mime::KeyForms forms = mime::key_forms(drawn.texts);
  for (const std::string* text :
       {&drawn.texts.subject, &drawn.texts.text_part, &drawn.texts.html_part}) {
    mime::add_code_uses(*text, forms, uses, kCodesMax);
  }
  std::vector<doctor::MissingCode> missing;
  // As intake/from_template.h has it; elsewhere an empty value is one (contract section 2.4).
  const bool is_required = drawn.texts.from_template.has_value();
  for (const auto& [key, has_default] : uses) {
    if (has_default) continue;
    const auto lacks = [&wanted = key, is_required](const store::SampledRecipient& recipient) {
      const auto given = std::ranges::find(recipient.insert_codes, wanted, &InsertCode::key);
      return given == recipient.insert_codes.end() ||
             (is_required && trim_invisible(given->value).empty());
    };
    const auto without = static_cast<std::size_t>(std::ranges::count_if(drawn.sample, lacks));
    if (without == 0) continue;
    const bool nobody_has_it = without == drawn.sample.size();
    missing.push_back({.key = key,
                       .without = without,
                       .known = nobody_has_it ? codes_of(drawn.sample) : std::string(),
                       .required = is_required});
  }
  return missing;
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

Task<Result<void>> compose_some(
    const delivery::SampleLetters& letters,  // NOLINT(*-reference-coroutine-parameters)
    const delivery::DrawnLetter& drawn,      // NOLINT(*-reference-coroutine-parameters)
    const InTime& time,                      // NOLINT(*-reference-coroutine-parameters)
    doctor::PreflightInput& input) {         // NOLINT(*-reference-coroutine-parameters)
  std::size_t octets = 0;
  for (const std::size_t place : evenly_spread(drawn.sample.size(), kMessagesComposed)) {
    if (octets > 0 && (octets >= kComposedOctetsMax || time.is_over())) break;
    auto copy = co_await letters.compose(drawn, place);
    if (!copy) {
      const bool is_too_large = copy.error().kind == ErrorKind::limit_exceeded;
      const bool is_its_own = is_too_large || copy.error().kind == ErrorKind::cancelled;
      if (!is_its_own) co_return fail(std::move(copy.error()));
      input.not_made.push_back(
          {.recipient = drawn.sample[place].address, .is_too_large = is_too_large});
      continue;
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

}  // namespace todoku::app
