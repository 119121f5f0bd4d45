// SPDX-License-Identifier: Apache-2.0
#include "doctor/preflight_mail.h"

#include <algorithm>
#include <array>
#include <utility>

#include <fmt/format.h>

#include "base/bytes.h"
#include "doctor/author_domains.h"
#include "doctor/law_notices.h"
#include "doctor/preflight_content.h"
#include "doctor/preflight_texts.h"
#include "mailauth/dkim/message.h"
#include "mime/encoded_words.h"
#include "mime/html_reader.h"
#include "mime/html_text.h"

namespace todoku::doctor {
namespace {

using mailauth::dkim::MessageView;

constexpr std::size_t kReadableCharactersMin = 20;

// RFC 5322 section 3.6: those that may stand once, and RFC 2045's.
constexpr std::array<std::string_view, 13> kSingleFields{
    "From",        "Sender",      "Reply-To", "To",         "Cc",           "Message-ID",
    "Date",        "In-Reply-To", "Subject",  "References", "MIME-Version", "List-Unsubscribe",
    "Content-Type"};
constexpr std::array<std::string_view, 3> kNeededFields{"Date", "Message-ID", "From"};

class HeaderLook {
 public:
  explicit HeaderLook(const MessageView& view) : view_(view) {}

  [[nodiscard]] std::size_t count(std::string_view name) const {
    return static_cast<std::size_t>(std::ranges::count_if(
        view_.fields,
        [&](const HeaderField& field) { return equals_ignoring_case(field.name, name); }));
  }
  // The first one's body on a line; nullopt: there is none.
  [[nodiscard]] std::optional<std::string> body(std::string_view name) const {
    const auto found = std::ranges::find_if(view_.fields, [&](const HeaderField& field) {
      return equals_ignoring_case(field.name, name);
    });
    if (found == view_.fields.end()) return std::nullopt;
    std::string text = mime::unfolded(found->raw.substr(found->raw.find(':') + 1));
    const auto is_white = [](char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; };
    while (!text.empty() && is_white(text.back())) text.pop_back();
    text.erase(0,
               static_cast<std::size_t>(std::ranges::find_if_not(text, is_white) - text.begin()));
    return text;
  }

 private:
  const MessageView& view_;
};

class Findings {
 public:
  void add(std::string_view code, const PreflightFacts& facts, std::string_view found = {}) {
    all_.push_back(preflight_finding(code, facts));
    all_.back().found = shown(found);
  }
  void add(std::vector<Finding> more) { std::ranges::move(more, std::back_inserter(all_)); }
  [[nodiscard]] bool empty() const { return all_.empty(); }
  [[nodiscard]] std::vector<Finding> take() { return std::move(all_); }

 private:
  std::vector<Finding> all_;
};

std::string lower(std::string_view text) {
  std::string out(text);
  std::ranges::transform(out, out.begin(), [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  });
  return out;
}

// ---- header ------------------------------------------------------------------------------------

// "<a@b>": RFC 5322 section 3.6.4, without its obsolete forms.
bool is_message_id(std::string_view id) {
  if (!id.starts_with('<') || !id.ends_with('>') || id.size() < 5) return false;
  const std::string_view inside = id.substr(1, id.size() - 2);
  const std::size_t at = inside.find('@');
  return at != std::string_view::npos && at > 0 && at + 1 < inside.size() &&
         inside.find_first_of(" \t<>") == std::string_view::npos;
}

// An answer or a forwarded mail, as programs mark them.
bool feigns(std::string_view subject) {
  const std::string low = lower(subject);
  return std::ranges::any_of(
      std::array<std::string_view, 7>{"re:", "fw:", "fwd:", "re：", "fw：", "fwd：", "返信:"},
      [&](std::string_view mark) { return low.starts_with(mark); });
}

void look_at_lines(const SampleMail& sample, Findings& findings) {
  const std::string_view text = sample.octets;
  std::size_t longest = 0;
  bool bare = false;
  std::size_t begin = 0;
  for (std::size_t at = text.find_first_of("\r\n"); at != std::string_view::npos;
       at = text.find_first_of("\r\n", begin)) {
    longest = std::max(longest, at - begin);
    const bool is_end = text[at] == '\r' && at + 1 < text.size() && text[at + 1] == '\n';
    bare = bare || !is_end;
    begin = at + (is_end ? 2 : 1);
  }
  longest = std::max(longest, text.size() - begin);
  if (longest > kLineOctetsAllowed) {
    findings.add("header_line_long", {.subject = sample.recipient,
                                      .first = fmt::format("{}", longest),
                                      .second = fmt::format("{}", kLineOctetsAllowed)});
  }
  if (bare) findings.add("header_bare_line_end", {.subject = sample.recipient});
}

void look_at_fields(const SampleMail& sample, const MessageView& view, const HeaderLook& header,
                    Findings& findings) {
  for (const std::string_view name : kNeededFields) {
    if (name != "From" && header.count(name) == 0) {
      findings.add("header_field_missing",
                   {.subject = sample.recipient, .first = std::string(name)});
    }
  }
  for (const std::string_view name : kSingleFields) {
    const std::size_t count = header.count(name);
    if (name == "From" || count <= 1) continue;
    findings.add("header_field_repeated", {.subject = sample.recipient,
                                           .first = std::string(name),
                                           .second = fmt::format("{}", count)});
  }
  if (const auto domains = author_domains(view); !domains) {
    findings.add("header_from_unreadable",
                 {.subject = sample.recipient, .first = domains.error().detail});
  }
  if (const auto id = header.body("Message-ID"); id && !is_message_id(*id)) {
    findings.add("header_message_id_odd", {.subject = sample.recipient, .first = *id});
  }
  const bool is_ascii = std::ranges::all_of(view.fields, [](const HeaderField& field) {
    return std::ranges::all_of(field.raw,
                               [](char c) { return static_cast<unsigned char>(c) < 128; });
  });
  if (!is_ascii) findings.add("header_eight_bit", {.subject = sample.recipient});
}

void look_at_meaning(const SampleMail& sample, const HeaderLook& header, bool is_bulk,
                     Findings& findings) {
  const std::string subject = mime::decode_header_text(header.body("Subject").value_or(""));
  if (subject.find_first_not_of(" \t") == std::string::npos) {
    findings.add("header_subject_empty", {.subject = sample.recipient});
  }
  if (!is_bulk) return;
  const bool answers = header.body("In-Reply-To").has_value();
  if (feigns(subject) && !answers) findings.add("header_subject_feigns", {.subject = subject});
  const std::string urgency = lower(header.body("X-Priority").value_or(""));
  const std::string importance = lower(header.body("Importance").value_or(""));
  const std::string priority = lower(header.body("Priority").value_or(""));
  if (urgency.starts_with('1') || urgency.starts_with('2')) {
    findings.add("header_urgent", {.subject = "X-Priority: " + urgency});
  } else if (importance == "high") {
    findings.add("header_urgent", {.subject = "Importance: high"});
  } else if (priority == "urgent") {
    findings.add("header_urgent", {.subject = "Priority: urgent"});
  }
  const std::string precedence = lower(header.body("Precedence").value_or(""));
  if (precedence == "junk") findings.add("header_precedence_junk", {.subject = precedence});
}

// ---- one-click (RFC 8058) ----------------------------------------------------------------------

// The URIs in angle brackets of List-Unsubscribe (RFC 2369).
std::vector<std::string> uris_of(std::string_view body) {
  std::vector<std::string> uris;
  while (true) {
    const std::size_t begin = body.find('<');
    const std::size_t end = body.find('>', begin == std::string_view::npos ? 0 : begin);
    if (begin == std::string_view::npos || end == std::string_view::npos) return uris;
    uris.emplace_back(body.substr(begin + 1, end - begin - 1));
    body.remove_prefix(end + 1);
  }
}

bool seals(const CheckedSignature& one, std::string_view name) {
  return one.result.verdict == mailauth::dkim::Verdict::pass &&
         std::ranges::find(one.signed_names, lower(name)) != one.signed_names.end();
}

void look_at_one_click(const SampleMail& sample, const HeaderLook& header,
                       std::span<const CheckedSignature> signatures, Findings& findings) {
  const auto uris = uris_of(header.body("List-Unsubscribe").value_or(""));
  const auto with = [&](std::string_view scheme) {
    return std::ranges::find_if(
        uris, [&](const std::string& uri) { return lower(uri).starts_with(scheme); });
  };
  const auto secure = with("https:");
  if (secure == uris.end()) {
    const auto plain = with("http:");
    if (plain == uris.end()) {
      findings.add("one_click_missing", {.subject = sample.recipient});
    } else {
      findings.add("one_click_not_https", {.subject = *plain});
    }
    return;
  }
  // RFC 8058 section 3.1: exactly this.
  const std::string post = lower(header.body("List-Unsubscribe-Post").value_or(""));
  if (post != "list-unsubscribe=one-click") {
    findings.add("one_click_not_declared", {.subject = sample.recipient}, post);
    return;
  }
  const bool is_open = std::ranges::any_of(signatures, [](const CheckedSignature& one) {
    return one.result.verdict == mailauth::dkim::Verdict::temperror;
  });
  for (const std::string_view name : {"List-Unsubscribe", "List-Unsubscribe-Post"}) {
    // Of mail that nothing signs, or whose key nobody could look up, that was said.
    if (signatures.empty() || is_open) continue;
    if (std::ranges::none_of(signatures, [&](const auto& one) { return seals(one, name); })) {
      findings.add("one_click_unsigned", {.subject = std::string(name)});
      return;
    }
  }
  findings.add("one_click_ready", {.subject = *secure});
}

// ---- body --------------------------------------------------------------------------------------

std::size_t characters_in(std::string_view text) {
  return static_cast<std::size_t>(std::ranges::count_if(text, [](char c) {
    const auto octet = static_cast<unsigned char>(c);
    return octet > ' ' && (octet & 0xC0U) != 0x80U;
  }));
}

// What html_to_text() writes for pictures and links is no text.
std::size_t readable_characters(std::string_view readable) {
  std::size_t count = 0;
  while (!readable.empty()) {
    const std::size_t begin = readable.find('<');
    count += characters_in(readable.substr(0, begin));
    if (begin == std::string_view::npos) break;
    const std::size_t end = readable.find('>', begin);
    if (end == std::string_view::npos) break;
    readable.remove_prefix(end + 1);
  }
  return count;
}

void look_at_body(const SampleMail& sample, const SampleContent& content,
                  AudienceReceivers receivers, Findings& findings) {
  if (content.html.size() > kGmailHtmlOctets) {
    findings.add("html_clipped", {.subject = fmt::format("{}", content.html.size()),
                                  .first = fmt::format("{}", kGmailHtmlOctets)});
  }
  const std::string octets = fmt::format("{}", sample.octets.size());
  if (sample.octets.size() > kMessageOctetsUsual) {
    findings.add("message_large",
                 {.subject = octets, .first = fmt::format("{}", kMessageOctetsUsual)});
  } else if (receivers.carriers && sample.octets.size() > kMessageOctetsForPhones) {
    findings.add("message_large_for_phones",
                 {.subject = octets, .first = fmt::format("{}", kMessageOctetsForPhones)});
  }
  if (!content.html.empty() && content.text.empty() && !content.text_is_made) {
    findings.add("html_without_text", {.subject = sample.recipient});
  }
  if (content.charset_fell_back) {
    findings.add("charset_fell_back", {.subject = sample.recipient}, unsayable_characters(content));
  }
}

bool shows_pictures(std::string_view html) {
  mime::HtmlReader reader(html);
  for (mime::HtmlToken token; reader.next(token);) {
    if (token.kind == mime::HtmlToken::Kind::open &&
        (token.name == "img" || mime::html_attribute(token.attributes, "background"))) {
      return true;
    }
  }
  return false;
}

void look_at_texts(const SampleMail& sample, const SampleContent& content, Findings& findings) {
  std::string readable;
  if (!content.html.empty()) readable = mime::html_to_text(content.html);
  if (const std::size_t count = readable_characters(readable);
      !content.html.empty() && count < kReadableCharactersMin &&
      (count == 0 || shows_pictures(content.html))) {
    findings.add("html_only_pictures",
                 {.subject = sample.recipient, .first = fmt::format("{}", count)});
  }
  if (!content.is_advertisement) return;
  std::vector<LawPart> parts;
  if (!content.text.empty()) parts.push_back({.name = "text_part", .text = content.text});
  if (!content.html.empty()) parts.push_back({.name = "html_part", .text = readable});
  findings.add(law_findings(parts, content.from_name));
}

}  // namespace

std::vector<Finding> mail_findings(const SampleMail& sample,
                                   std::span<const CheckedSignature> signatures,
                                   const SampleContent& content, AudienceReceivers receivers) {
  Findings findings;
  const MessageView view = mailauth::dkim::split_message(sample.octets);
  const HeaderLook header(view);
  look_at_fields(sample, view, header, findings);
  look_at_lines(sample, findings);
  look_at_meaning(sample, header, content.is_bulk, findings);
  if (findings.empty()) findings.add("header_in_order", {.subject = sample.recipient});
  if (content.is_bulk && content.is_advertisement) {
    look_at_one_click(sample, header, signatures, findings);
  }
  look_at_body(sample, content, receivers, findings);
  look_at_texts(sample, content, findings);
  findings.add(content_findings(sample, content));
  return findings.take();
}

std::vector<Finding> findings_of_not_made(std::span<const NotMade> not_made) {
  Findings findings;
  for (const NotMade& each : not_made) {
    findings.add(each.is_too_large ? "message_too_large" : "message_not_made",
                 {.subject = each.recipient});
  }
  return findings.take();
}

std::vector<Finding> code_findings(std::span<const MissingCode> missing, std::size_t sampled) {
  std::vector<Finding> findings;
  for (const MissingCode& code : missing) {
    if (code.required) {
      findings.push_back(
          preflight_finding("insert_code_required", {.subject = code.key,
                                                     .first = fmt::format("{}", code.without),
                                                     .second = fmt::format("{}", sampled)}));
      continue;
    }
    if (code.without >= sampled) {
      findings.push_back(
          preflight_finding("insert_code_unknown",
                            {.subject = code.key, .first = code.known.empty() ? "-" : code.known}));
      continue;
    }
    findings.push_back(
        preflight_finding("insert_code_missing", {.subject = code.key,
                                                  .first = fmt::format("{}", code.without),
                                                  .second = fmt::format("{}", sampled)}));
  }
  return findings;
}

}  // namespace todoku::doctor
