// SPDX-License-Identifier: Apache-2.0
#include "api/doors/sendgrid.h"

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <functional>
#include <iterator>
#include <utility>

#include <boost/json/array.hpp>

#include "api/doors/fields.h"
#include "api/doors/members.h"
#include "base/bytes.h"
#include "mail/labels.h"

namespace todoku::api::doors::sendgrid {
namespace {

// What SendGrid lets a personalization have, in octets of keys and values.
constexpr std::size_t kSubstitutionOctetsMax = 10'000;
constexpr std::size_t kSubstitutionsMax = 100;
// Each is looked for at each place of the texts.
constexpr std::size_t kSubstitutionKeyOctetsMax = 256;
// Of a header's value: what is longer is refused anyway.
constexpr std::size_t kHeaderOctetsMax = 2'048;
constexpr std::size_t kAddressesMax = 1'000;

Mailbox read_address(const Members& address) {
  return {std::string(trim(address.text("email").value_or(""))), address.text("name").value_or("")};
}

// One that is there has an address: a name alone is nobody's.
Mailbox mailbox_of(const Members& mail, std::string_view name) {
  const auto address = mail.members(name);
  if (!address) return {};
  const auto email = address->text("email");
  Mailbox mailbox{std::string(trim(email.value_or(""))), address->text("name").value_or("")};
  if (mailbox.address.empty() && (!email || !mailbox.name.empty())) {
    mail.problems().add(address->path_to("email"), intake::texts::required());
  }
  return mailbox;
}

std::vector<std::string> addresses(const Members& mail, std::string_view name, Letter& letter) {
  std::vector<std::string> all;
  mail.each_object(name, kAddressesMax, [&](const Members& each) {
    Mailbox mailbox = read_address(each);
    if (mailbox.address.empty()) {
      letter.problems.add(each.path_to("email"), intake::texts::required());
    }
    letter.has_names = letter.has_names || !mailbox.name.empty();
    all.push_back(std::move(mailbox.address));
  });
  return all;
}

// Of the whole, or of one personalization, which then counts.
void read_common(const Members& mail, Letter& letter) {
  Content& content = letter.request.content;
  if (auto from = mailbox_of(mail, "from"); !from.address.empty()) content.from = std::move(from);
  if (auto subject = mail.text("subject"); subject && !subject->empty()) {
    content.subject = std::move(*subject);
  }
  if (const auto at = mail.number("send_at")) {
    // Beyond, the milliseconds would not be a number; how far ahead is for intake to say.
    constexpr std::int64_t kSecondsMax = 253'402'300'799;  // the end of the year 9999
    if (*at < 0 || *at > kSecondsMax) {
      letter.problems.add(mail.path_to("send_at"), intake::texts::not_in_range(0, kSecondsMax));
    } else {
      letter.request.send_at = Instant(std::chrono::seconds(*at));
    }
  }
  mail.each_scalar("headers", [&](std::string_view name, const std::string& value) {
    std::erase_if(content.headers, [name](const ExtraHeader& header) {
      return equals_ignoring_case(header.name, name);
    });
    add_header(letter, name, value, {"headers", std::string(name)});
  });
  mail.each_scalar("custom_args", [&](std::string_view name, const std::string& value) {
    add_metadata(letter, name, value);
  });
}

// What a personalization says itself; of header fields each by itself.
std::vector<std::string> own_members(const boost::json::object& personalization) {
  std::vector<std::string> own;
  for (const auto& member : personalization) {
    const std::string name(member.key().data(), member.key().size());
    if (name == "headers" && member.value().is_object()) {
      for (const auto& header : member.value().get_object()) {
        own.push_back(name + "." + std::string(header.key().data(), header.key().size()));
      }
    } else if (!member.value().is_null()) {
      own.push_back(name);
    }
  }
  return own;
}

Substitutions read_substitutions(const Members& mail, Letter& letter) {
  Substitutions::Values values;
  std::size_t octets = 0;
  std::size_t key_octets = 0;
  mail.each_scalar("substitutions", [&](std::string_view key, const std::string& value) {
    octets += key.size() + value.size();
    key_octets = std::max(key_octets, key.size());
    if (!key.empty()) values.emplace_back(key, value);
  });
  if (octets > kSubstitutionOctetsMax) {
    letter.problems.add(mail.path_to("substitutions"),
                        {"has more than 10,000 octets.", "10,000バイトを超えています。"});
    values.clear();
  }
  if (key_octets > kSubstitutionKeyOctetsMax) {
    letter.problems.add(mail.path_to("substitutions"), {"has a key of more than 256 octets.",
                                                        "256バイトを超えるキーがあります。"});
    values.clear();
  }
  if (values.size() > kSubstitutionsMax) {
    letter.problems.add(mail.path_to("substitutions"), intake::texts::too_many(kSubstitutionsMax));
    values.clear();
  }
  return Substitutions(std::move(values));
}

}  // namespace

Substitutions::Substitutions(Values values) {
  std::ranges::sort(values);
  for (auto& [key, value] : values) {
    begins_[static_cast<std::uint8_t>(key.front())] = true;
    // Whatever this one begins with, the one before it is or begins with.
    std::size_t shorter = entries_.empty() ? kNone : entries_.size() - 1;
    while (shorter != kNone && !key.starts_with(entries_[shorter].key)) {
      shorter = entries_[shorter].shorter;
    }
    entries_.push_back({std::move(key), std::move(value), shorter});
  }
}

const Substitutions::Entry* Substitutions::at_begin_of(std::string_view text) const {
  if (text.empty() || !begins_[static_cast<std::uint8_t>(text.front())]) return nullptr;
  const auto after =
      std::ranges::upper_bound(entries_, text, std::less<>{},
                               [](const Entry& entry) { return std::string_view(entry.key); });
  if (after == entries_.begin()) return nullptr;
  // Any key that stands here is this one, or this one begins with it.
  const Entry* found = &*std::prev(after);
  const auto differs = std::ranges::mismatch(found->key, text).in1;
  const auto common = static_cast<std::size_t>(differs - found->key.begin());
  while (found->key.size() > common) {
    if (found->shorter == kNone) return nullptr;
    found = &entries_[found->shorter];
  }
  return found;
}

std::optional<std::string> Substitutions::in(std::string_view text, std::size_t octets_max) const {
  if (text.size() > octets_max) return std::nullopt;
  std::string out;
  while (!text.empty()) {
    if (const Entry* const found = at_begin_of(text)) {
      out += found->value;
      text.remove_prefix(found->key.size());
    } else {
      out += text.front();
      text.remove_prefix(1);
    }
    if (out.size() > octets_max) return std::nullopt;
  }
  return out;
}

Mails::Mails(const boost::json::object& object, const intake::Limits& limits)
    : object_(object), limits_(limits) {
  check_fields(object, fields_of(Service::sendgrid), common_.problems);
  const Members mail(object, {}, common_.problems);
  read_common(mail, common_);
  set_template(common_, mail.text("template_id").value_or(""));
  read_content();
  read_settings();
  const boost::json::array* const list = mail.array("personalizations");
  if (list != nullptr && !list->empty()) size_ = list->size();
  if (size_ == 0) common_.problems.add({"personalizations"}, intake::texts::required());
  if (size_ > kPersonalizationsMax) {
    common_.problems.add({"personalizations"}, intake::texts::too_many(kPersonalizationsMax));
    size_ = 0;
  }
  substituted_.resize(size_);
}

void Mails::read_content() {
  const Members mail(object_, {}, common_.problems);
  Content& content = common_.request.content;
  const auto take = [](std::optional<std::string>& place, const Members& part) {
    if (place) part.problems().add(part.path_to("type"), intake::texts::given_twice());
    place = part.text("value").value_or("");
  };
  std::optional<std::string> plain;
  std::optional<std::string> html;
  mail.each_object("content", 2, [&](const Members& part) {
    const std::string type = to_ascii_lower(trim(part.text("type").value_or("")));
    const std::string bare(trim(std::string_view(type).substr(0, type.find(';'))));
    if (bare == "text/plain") {
      take(plain, part);
    } else if (bare == "text/html") {
      take(html, part);
    } else {
      common_.problems.add(part.path_to("type"),
                           intake::texts::not_one_of(type, "text/plain, text/html"));
    }
  });
  content.text_part = std::move(plain).value_or("");
  content.html_part = std::move(html).value_or("");
  mail.each_object("attachments", limits_.attachments_max, [&](const Members& file) {
    File read{.name = file.text("filename").value_or(""),
              .type = file.text("type").value_or(""),
              .base64 = file.text("content").value_or("")};
    read.content_id = shown_id(common_,
                               {.given = file.text("disposition").value_or(""),
                                .path = file.path_to("disposition"),
                                .attached = "attachment",
                                .is_inline = "inline"},
                               file.text("content_id").value_or(""), file.path_to("content_id"));
    add_file(common_, std::move(read), limits_, file.path_to("content"));
  });
  std::vector<Mailbox> answers;
  if (auto one = mailbox_of(mail, "reply_to"); !one.address.empty()) answers.push_back(one);
  mail.each_object("reply_to_list", kAddressesMax, [&](const Members& each) {
    answers.push_back(read_address(each));
    if (answers.back().address.empty()) {
      common_.problems.add(each.path_to("email"), intake::texts::required());
    }
  });
  set_reply_to(common_, answers, {"reply_to_list"});
}

void Mails::read_settings() {
  const Members mail(object_, {}, common_.problems);
  for (const auto& [text, path] : mail.texts("categories")) add_tag(common_, text);
  if (const auto settings = mail.members("mail_settings")) {
    const auto sandbox = settings->members("sandbox_mode");
    is_sandboxed_ = sandbox && sandbox->truth("enable").value_or(false);
  }
  if (const auto tracking = mail.members("tracking_settings")) {
    if (const auto opens = tracking->members("open_tracking")) {
      common_.request.open_tracking = opens->truth("enable");
    }
  }
}

Letter Mails::mail(std::size_t place) const {
  Letter letter = common_;
  const boost::json::value& value = object_.at("personalizations").get_array()[place];
  const Path path{"personalizations", std::to_string(place)};
  if (!value.is_object()) {
    letter.problems.add(path, intake::texts::wrong_type("an object", "オブジェクト"));
    return letter;
  }
  const Members mail(value.get_object(), path, letter.problems);
  letter.origin = {.place = place, .own = own_members(value.get_object())};
  read_common(mail, letter);
  Recipients recipients;
  recipients.to = addresses(mail, "to", letter);
  recipients.cc = addresses(mail, "cc", letter);
  recipients.bcc = addresses(mail, "bcc", letter);
  if (recipients.to.empty()) letter.problems.add(mail.path_to("to"), intake::texts::required());
  address(letter, std::move(recipients));
  if (const auto* const data = mail.object("dynamic_template_data")) {
    add_data(letter, *data, mail.path_to("dynamic_template_data"), limits_);
  }
  const Substitutions substitutions = read_substitutions(mail, letter);
  if (letter.request.from_template && !substitutions.empty()) {
    letter.problems.add(mail.path_to("substitutions"),
                        {"has no place in a template: use dynamic_template_data.",
                         "テンプレートではdynamic_template_dataを使ってください。"});
  }
  substitute(place, substitutions, letter);
  return letter;
}

// Of the texts each has a limit, and all mails of the request have one together.
void Mails::substitute(std::size_t place, const Substitutions& substitutions,
                       Letter& letter) const {
  if (substitutions.empty() || !letter.problems.empty()) return;
  std::size_t octets = 0;
  const auto put = [&](std::string& text, std::size_t octets_max, Path path,
                       const intake::Text& too_long) {
    auto done = substitutions.in(text, octets_max);
    if (!done) return letter.problems.add(std::move(path), too_long);
    octets += std::max(text.size(), done->size());
    text = std::move(*done);
  };
  const auto put_characters = [&](std::string& text, std::size_t max, Path path) {
    put(text, octets_of(max), std::move(path), intake::texts::length(0, max));
  };
  Content& content = letter.request.content;
  put_characters(content.subject, limits_.subject_characters_max, {"subject"});
  put_characters(content.text_part, limits_.text_part_characters_max, {"text_part"});
  put_characters(content.html_part, limits_.html_part_characters_max, {"html_part"});
  for (std::string* uri : {&content.list_unsubscribe_mailto, &content.list_unsubscribe_url}) {
    put_characters(*uri, limits_.list_unsubscribe_characters_max, {"headers", "List-Unsubscribe"});
  }
  for (ExtraHeader& header : content.headers) {
    put(header.value, kHeaderOctetsMax, {"headers", header.name},
        intake::texts::too_large(kHeaderOctetsMax));
  }
  if (substituted_[place] == 0) {
    substituted_[place] = octets;
    substituted_octets_ += octets;
  }
  if (substituted_octets_ > kSubstitutedOctetsMax) {
    letter.problems.add({"personalizations"},
                        {"has more than 128 MiB of texts to put something into, of all mails.",
                         "差し込みをする本文が、全メールの合計で128 MiBを超えています。"});
  }
}

}  // namespace todoku::api::doors::sendgrid
