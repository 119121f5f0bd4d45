// SPDX-License-Identifier: Apache-2.0
#include "api/doors/letter.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "base/bytes.h"
#include "intake/from_template.h"
#include "intake/templates.h"
#include "mail/labels.h"
#include "mime/inline_parts.h"
#include "mime/mailbox_list.h"

namespace todoku::api::doors {
namespace {

intake::Text unreadable_address(std::string_view clause) {
  return {fmt::format("is no e-mail address or \"name <address>\": {}.", clause),
          "メールアドレス、または「名前 <アドレス>」の形で指定してください。"};
}

// One address alone is for intake to judge: it knows those of the older carriers.
bool is_bare(std::string_view text) {
  return text.find_first_of("<,\"") == std::string_view::npos;
}

// "<mailto:a>, <https://b>"
void read_unsubscribe(Letter& letter, std::string_view value, const Path& path) {
  Content& content = letter.request.content;
  for (std::string_view rest = value; !trim(rest).empty();) {
    rest = trim(rest);
    const std::size_t end = rest.find('>');
    if (!rest.starts_with('<') || end == std::string_view::npos) {
      letter.problems.add(
          path, {"is no list of URIs in angle brackets.", "山括弧で囲んだURIを指定してください。"});
      return;
    }
    const std::string_view uri = rest.substr(1, end - 1);
    std::string& place = to_ascii_lower(uri.substr(0, 7)) == "mailto:"
                             ? content.list_unsubscribe_mailto
                             : content.list_unsubscribe_url;
    if (!place.empty()) letter.problems.add(path, intake::texts::given_twice());
    place = uri;
    rest = trim(rest.substr(end + 1));
    if (rest.starts_with(',')) rest.remove_prefix(1);
  }
}

std::string_view bare_id(std::string_view id) {
  id = trim(id);
  if (to_ascii_lower(id.substr(0, 4)) == "cid:") id.remove_prefix(4);
  if (id.size() > 2 && id.starts_with('<') && id.ends_with('>')) id = id.substr(1, id.size() - 2);
  return id;
}

}  // namespace

void set_template(Letter& letter, std::string_view name) {
  const std::string_view bare = trim(name);
  if (bare.empty()) return;
  letter.request.from_template = intake::TemplateRequest{.choice = intake::template_choice(bare)};
}

void add_data(Letter& letter, const boost::json::object& data, const Path& path,
              const intake::Limits& limits) {
  std::vector<InsertCode> read;
  intake::read_template_data(data, path, limits.insert_codes_max, read, letter.problems);
  std::vector<InsertCode>& codes = letter.request.insert_codes;
  for (InsertCode& code : read) {
    const auto known = std::ranges::find(codes, code.key, &InsertCode::key);
    if (known == codes.end()) {
      codes.push_back(std::move(code));
    } else {
      known->value = std::move(code.value);
    }
  }
}

void address(Letter& letter, Recipients recipients) {
  intake::TransactionRequest& request = letter.request;
  if (!recipients.to.empty()) {
    request.to = std::move(recipients.to.front());
    recipients.to.erase(recipients.to.begin());
  }
  request.more_to = std::move(recipients.to);
  request.cc = std::move(recipients.cc);
  request.bcc = std::move(recipients.bcc);
}

Mailbox read_mailbox(std::string_view text, const Path& path, intake::Problems& problems) {
  const std::string_view given = trim(text);
  if (given.empty() || is_bare(given)) return {std::string(given), {}};
  auto list = mime::parse_mailbox_list(given, 1);
  if (!list || list->size() != 1) {
    problems.add(path, unreadable_address(list ? "there is none in it" : list.error().detail));
    return {};
  }
  return std::move(list->front().mailbox);
}

std::vector<std::string> read_addresses(std::string_view text, const Path& path, Letter& letter) {
  std::vector<std::string> addresses;
  const std::string_view given = trim(text);
  if (given.empty()) return addresses;
  if (is_bare(given)) return {std::string(given)};
  auto list = mime::parse_mailbox_list(given);
  if (!list) {
    letter.problems.add(path, unreadable_address(list.error().detail));
    return addresses;
  }
  for (mime::ListedMailbox& each : *list) {
    letter.has_names = letter.has_names || !each.mailbox.name.empty();
    addresses.push_back(std::move(each.mailbox.address));
  }
  return addresses;
}

void set_reply_to(Letter& letter, const std::vector<Mailbox>& mailboxes, const Path& path) {
  if (mailboxes.size() > 1) letter.problems.add(path, intake::texts::too_many(1));
  if (!mailboxes.empty() && !mailboxes.front().address.empty()) {
    letter.request.content.reply_to = mailboxes.front();
  }
}

void add_header(Letter& letter, std::string_view name, std::string_view value, const Path& path) {
  Content& content = letter.request.content;
  if (equals_ignoring_case(name, "List-Unsubscribe")) {
    read_unsubscribe(letter, value, path);
  } else if (equals_ignoring_case(name, "List-Unsubscribe-Post")) {
    if (equals_ignoring_case(trim(value), "List-Unsubscribe=One-Click")) {
      content.list_unsubscribe_one_click = true;
    } else {
      letter.problems.add(path, intake::texts::not_one_of(value, "List-Unsubscribe=One-Click"));
    }
  } else {
    content.headers.push_back({std::string(name), std::string(value)});
  }
}

void add_tag(Letter& letter, std::string_view name, std::string_view value) {
  auto& tags = letter.request.labels.tags;
  if (!tags) tags.emplace();
  std::string tag = value.empty() ? std::string(name) : fmt::format("{}:{}", name, value);
  if (std::ranges::find(*tags, tag) == tags->end()) tags->push_back(std::move(tag));
}

void add_metadata(Letter& letter, std::string_view name, std::string_view value) {
  Metadata& metadata = letter.request.attached.metadata;
  const auto known = std::ranges::find(metadata, name, &MetadataMember::name);
  if (known != metadata.end()) {
    known->value = value;
  } else if (metadata.size() <= kMetadataMembersMax) {  // one too many is enough to be refused
    metadata.push_back({std::string(name), std::string(value)});
  }
}

void add_file(Letter& letter, File file, const intake::Limits& limits, const Path& path) {
  auto& files = letter.request.content.attachments;
  Attachment read{.file_name = std::move(file.name),
                  .mime_type = std::move(file.type),
                  .data = {},
                  .content_id = std::string(bare_id(file.content_id))};
  if (read.file_name.empty()) read.file_name = read.content_id;
  std::size_t octets = file.base64.size() / 4 * 3;
  for (const Attachment& each : files) octets += each.data.size();
  constexpr std::size_t kWhiteSpace = 2;  // lines of base64 may be short
  if (trim(file.base64).empty()) {
    letter.problems.add(path, intake::texts::required());
  } else if (octets > kWhiteSpace * limits.attachments_octets_max) {
    letter.problems.add(path,
                        intake::texts::attachments_too_big(octets, limits.attachments_octets_max));
  } else if (auto data = from_base64(file.base64)) {
    read.data = std::move(*data);
  } else {
    letter.problems.add(path, intake::texts::not_base64());
  }
  files.push_back(std::move(read));
}

std::string shown_id(Letter& letter, const Disposition& disposition, std::string id,
                     const Path& id_path) {
  const std::string_view given = trim(disposition.given);
  if (equals_ignoring_case(given, disposition.is_inline)) {
    if (bare_id(id).empty()) letter.problems.add(id_path, intake::texts::required());
    return id;
  }
  if (!given.empty() && !equals_ignoring_case(given, disposition.attached)) {
    letter.problems.add(disposition.path,
                        intake::texts::not_one_of(given, fmt::format("{}, {}", disposition.attached,
                                                                     disposition.is_inline)));
  }
  const std::string_view bare = bare_id(id);
  if (bare.empty()) return {};
  const auto look = mime::look_at_references(letter.request.content.html_part, {&bare, 1});
  return look.used.front() ? id : std::string();
}

std::string joined(const Path& path) {
  return fmt::format("{}", fmt::join(path, "."));
}

}  // namespace todoku::api::doors
