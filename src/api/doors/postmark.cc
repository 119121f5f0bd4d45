// SPDX-License-Identifier: Apache-2.0
#include "api/doors/postmark.h"

#include <utility>

#include "api/doors/fields.h"
#include "api/doors/members.h"
#include "base/bytes.h"

namespace todoku::api::doors::postmark {
namespace {

// What every server of Postmark's has for single mails; others are made by their owner.
constexpr std::string_view kDefaultStream = "outbound";

std::vector<std::string> addresses(const Members& mail, std::string_view name, Letter& letter) {
  return read_addresses(mail.text(name).value_or(""), mail.path_to(name), letter);
}

void read_parts(const Members& mail, const intake::Limits& limits, Letter& letter) {
  mail.each_object("Headers", SIZE_MAX, [&](const Members& header) {
    add_header(letter, header.text("Name").value_or(""), header.text("Value").value_or(""),
               header.path_to("Value"));
  });
  mail.each_object("Attachments", limits.attachments_max, [&](const Members& file) {
    add_file(letter,
             {.name = file.text("Name").value_or(""),
              .type = file.text("ContentType").value_or(""),
              .base64 = file.text("Content").value_or(""),
              .content_id = file.text("ContentID").value_or("")},
             limits, file.path_to("Content"));
  });
}

// What every mail has, whoever says its texts.
void read_rest(const Members& mail, const intake::Limits& limits, Mail& read) {
  Letter& letter = read.letter;
  letter.request.content.from =
      read_mailbox(mail.text("From").value_or(""), {"From"}, letter.problems);
  read.to = mail.text("To").value_or("");
  Recipients recipients;
  recipients.to = addresses(mail, "To", letter);
  recipients.cc = addresses(mail, "Cc", letter);
  recipients.bcc = addresses(mail, "Bcc", letter);
  address(letter, std::move(recipients));
  if (const auto answers = mail.text("ReplyTo"); answers && !answers->empty()) {
    set_reply_to(letter, {read_mailbox(*answers, {"ReplyTo"}, letter.problems)}, {"ReplyTo"});
  }
  read_parts(mail, limits, letter);
  if (const auto tag = mail.text("Tag"); tag && !tag->empty()) add_tag(letter, *tag);
  mail.each_scalar("Metadata", [&](std::string_view name, const std::string& value) {
    add_metadata(letter, name, value);
  });
  letter.request.open_tracking = mail.truth("TrackOpens");
  const std::string stream = mail.text("MessageStream").value_or("");
  if (!stream.empty() && !equals_ignoring_case(stream, kDefaultStream)) read.no_stream = stream;
}

}  // namespace

Mail read(const boost::json::object& object, const intake::Limits& limits) {
  Mail read;
  Letter& letter = read.letter;
  check_fields(object, fields_of(Service::postmark), letter.problems);
  const Members mail(object, {}, letter.problems);
  Content& content = letter.request.content;
  content.subject = mail.text("Subject").value_or("");
  content.text_part = mail.text("TextBody").value_or("");
  content.html_part = mail.text("HtmlBody").value_or("");
  read_rest(mail, limits, read);
  return read;
}

Mail read_with_template(const boost::json::object& object, const intake::Limits& limits) {
  Mail read;
  Letter& letter = read.letter;
  check_fields(object, fields_of_templates(), letter.problems);
  const Members mail(object, {}, letter.problems);
  const auto id = mail.number("TemplateId");
  const std::string alias = mail.text("TemplateAlias").value_or("");
  if (id && !alias.empty()) {
    letter.problems.add({"TemplateAlias"}, {"is given beside TemplateId: one of them is enough.",
                                            "TemplateIdと一緒には指定できません。"});
  }
  set_template(letter, id ? std::to_string(*id) : alias);
  if (!letter.request.from_template && letter.problems.empty()) {
    letter.problems.add({"TemplateId"}, intake::texts::required());
  }
  if (const auto* const model = mail.object("TemplateModel")) {
    add_data(letter, *model, {"TemplateModel"}, limits);
  }
  read_rest(mail, limits, read);
  return read;
}

}  // namespace todoku::api::doors::postmark
