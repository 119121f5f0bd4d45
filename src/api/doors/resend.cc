// SPDX-License-Identifier: Apache-2.0
#include "api/doors/resend.h"

#include <utility>

#include <boost/json/array.hpp>

#include "api/doors/fields.h"
#include "api/doors/members.h"
#include "base/bytes.h"
#include "base/date_time.h"
#include "mail/labels.h"

namespace todoku::api::doors::resend {
namespace {

// A text, or a list of texts; each may hold several with commas between them.
std::vector<std::string> addresses(const Members& mail, std::string_view name, Letter& letter) {
  std::vector<std::string> all;
  for (const auto& [text, path] : mail.texts_or_text(name)) {
    // One of a list is somebody; a text alone may be empty.
    if (path.size() > 1 && trim(text).empty()) letter.problems.add(path, intake::texts::required());
    for (std::string& each : read_addresses(text, path, letter)) all.push_back(std::move(each));
  }
  return all;
}

void read_headers(const Members& mail, Letter& letter) {
  const boost::json::object* const headers = mail.object("headers");
  if (headers == nullptr) return;
  const Members members(*headers, mail.path_to("headers"), letter.problems);
  for (const auto& header : *headers) {
    const std::string_view name(header.key().data(), header.key().size());
    if (const auto value = members.text(name)) {
      add_header(letter, name, *value, members.path_to(name));
    }
  }
}

void read_files(const Members& mail, const intake::Limits& limits, Letter& letter) {
  mail.each_object("attachments", limits.attachments_max, [&](const Members& file) {
    File read{.name = file.text("filename").value_or(""),
              .type = file.text("content_type").value_or(""),
              .base64 = file.text("content").value_or(""),
              .content_id = file.text("content_id").value_or("")};
    if (read.content_id.empty()) {
      read.content_id = file.text("inline_content_id").value_or("");
    }
    add_file(letter, std::move(read), limits, file.path_to("content"));
  });
}

void read_time(const Members& mail, Letter& letter) {
  const auto given = mail.text("scheduled_at");
  if (!given || given->empty()) return;
  letter.request.send_at = parse_date_time(*given);
  if (!letter.request.send_at) {
    letter.problems.add(mail.path_to("scheduled_at"), intake::texts::invalid_date(*given));
  }
}

void read_template(const Members& mail, const intake::Limits& limits, Letter& letter) {
  const auto wanted = mail.members("template");
  if (!wanted) return;
  const std::size_t problems = letter.problems.list().size();
  set_template(letter, wanted->text("id").value_or(""));
  if (!letter.request.from_template && letter.problems.list().size() == problems) {
    letter.problems.add(wanted->path_to("id"), intake::texts::required());
  }
  if (const auto* const variables = wanted->object("variables")) {
    add_data(letter, *variables, wanted->path_to("variables"), limits);
  }
}

}  // namespace

Letter read(const boost::json::object& object, const intake::Limits& limits) {
  Letter letter;
  check_fields(object, fields_of(Service::resend), letter.problems);
  const Members mail(object, {}, letter.problems);
  Content& content = letter.request.content;
  const auto from = mail.text("from");
  // Without one it may be the template's.
  if (from || mail.object("template") == nullptr) {
    content.from = read_mailbox(from.value_or(""), {"from"}, letter.problems);
  }
  content.subject = mail.text("subject").value_or("");
  content.text_part = mail.text("text").value_or("");
  content.html_part = mail.text("html").value_or("");
  read_template(mail, limits, letter);
  Recipients recipients;
  recipients.to = addresses(mail, "to", letter);
  recipients.cc = addresses(mail, "cc", letter);
  recipients.bcc = addresses(mail, "bcc", letter);
  address(letter, std::move(recipients));
  std::vector<Mailbox> answers;
  for (const auto& [text, path] : mail.texts_or_text("reply_to")) {
    if (path.size() > 1 && trim(text).empty()) letter.problems.add(path, intake::texts::required());
    answers.push_back(read_mailbox(text, path, letter.problems));
  }
  set_reply_to(letter, answers, {"reply_to"});
  read_headers(mail, letter);
  read_files(mail, limits, letter);
  read_time(mail, letter);
  mail.each_object("tags", kTagsMax + 1, [&](const Members& tag) {
    add_tag(letter, tag.text("name").value_or(""), tag.text("value").value_or(""));
  });
  return letter;
}

}  // namespace todoku::api::doors::resend
