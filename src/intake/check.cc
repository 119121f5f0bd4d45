// SPDX-License-Identifier: Apache-2.0
#include "intake/check.h"

#include <algorithm>
#include <array>
#include <set>
#include <utility>

#include <fmt/format.h>

#include "base/bytes.h"
#include "base/printable.h"
#include "base/utf8.h"
#include "intake/check_size.h"
#include "intake/fullwidth.h"
#include "mail/address.h"
#include "mail/allow_list.h"
#include "mail/invisible.h"
#include "mime/extra_header.h"
#include "mime/file_name.h"
#include "mime/inline_parts.h"
#include "mime/insert_code.h"
#include "mime/uri.h"

namespace todoku::intake {
std::string_view why_not_sent_to(std::string_view domain) {
  if (domain.starts_with('[')) {
    return "has an IP address for a domain, and mail is sent to domain names only";
  }
  const std::string_view last = domain.substr(domain.rfind('.') + 1);
  const bool is_number = std::ranges::all_of(last, [](char c) { return c >= '0' && c <= '9'; });
  return is_number
             ? "has a domain whose last part is a number, as of an IP address; mail is sent to "
               "domain names only"
             : "";
}

namespace {

// Contract section 2.2.
constexpr std::array kRefusedExtensions = {
    "ade",  "adp",        "apk", "appx", "appxbundle", "bat", "bz2", "cab", "chm", "cmd",
    "com",  "cpl",        "dll", "dmg",  "ex",         "ex_", "exe", "gz",  "hta", "ins",
    "isp",  "iso",        "jar", "js",   "jse",        "lib", "lnk", "mde", "msc", "msi",
    "msix", "msixbundle", "msp", "mst",  "nsh",        "pif", "ps1", "scr", "sct", "shb",
    "sys",  "tgz",        "vb",  "vbe",  "vbs",        "vxd", "wsc", "wsf", "wsh", "zip"};

constexpr std::string_view kWideSpace = "\xE3\x80\x80";  // U+3000

Path below(const Path& path, std::string_view name) {
  Path longer = path;
  longer.emplace_back(name);
  return longer;
}

bool has_control_character(std::string_view text) {
  return std::ranges::any_of(text, [](char c) {
    const auto octet = static_cast<unsigned char>(c);
    return octet < 0x20 || octet == 0x7F;
  });
}

// Any text that is stored.
void check_characters(std::string_view text, const Path& path, Problems& problems) {
  if (!is_utf8(text)) problems.add(path, texts::not_utf8());
  if (text.contains('\0')) problems.add(path, texts::nul_character());
}

// One line of text that becomes part of a header field.
void check_line(std::string_view text, std::size_t min, std::size_t max, const Path& path,
                Problems& problems) {
  if (text.empty() && min > 0) {
    problems.add(path, texts::required());
    return;
  }
  const std::size_t length = utf8_length(text);
  if (length < min || length > max) problems.add(path, texts::length(min, max));
  if (!is_utf8(text)) problems.add(path, texts::not_utf8());
  if (has_control_character(text)) problems.add(path, texts::control_character());
}

bool check_email_length(std::string_view email, const Path& path, const Limits& limits,
                        Problems& problems) {
  if (email.empty()) {
    problems.add(path, texts::required());
    return false;
  }
  if (email.size() < limits.email_octets_min || email.size() > limits.email_octets_max) {
    problems.add(path, texts::length(limits.email_octets_min, limits.email_octets_max));
    return false;
  }
  return true;
}

// A character that somebody typed with an input method before the @. In a domain IDNA says what it
// means (UTS #46); here, a mailbox would be guessed (RFC 5321 section 2.3.11: what stands there is
// for the receiver alone to interpret), and one by that name nobody has: where names go beyond
// ASCII, the width of a character makes no other name (RFC 8265 section 3.3.1).
std::optional<Text> fullwidth_in(std::string_view local) {
  while (!local.empty()) {
    const CodePoint point = decode_utf8(local);
    const std::size_t octets = std::max<std::size_t>(point.octets, 1);
    if (const auto meant = point.octets == 0 ? std::nullopt : ascii_meant_by(point.value)) {
      return texts::fullwidth(local.substr(0, octets), *meant);
    }
    local.remove_prefix(octets);
  }
  return std::nullopt;
}

// "#N/A", "#DIV/0!", or the marks of a column that was too narrow: what formulas that failed leave
// in a list.
bool is_spreadsheet_error(std::string_view text) {
  if (text.size() < 3 || text.front() != '#') return false;
  if (text == "#N/A" || text.find_first_not_of('#') == std::string_view::npos) return true;
  const bool ends = text.ends_with('!') || text.ends_with('?');
  return ends && std::ranges::all_of(text.substr(1, text.size() - 2), [](char c) {
           return (c >= 'A' && c <= 'Z') || c == '/' || c == '0' || c == '_';
         });
}

std::optional<Address> check_email(std::string_view email, const Path& path, const Limits& limits,
                                   Problems& problems) {
  if (is_spreadsheet_error(email)) {
    problems.add(path, texts::invalid_email("is an error value of a spreadsheet"));
    return std::nullopt;
  }
  if (!check_email_length(email, path, limits, problems)) return std::nullopt;
  auto address = parse_address(email);
  if (!address) {
    problems.add(path, texts::invalid_email(address.error().detail));
    return std::nullopt;
  }
  if (auto wide = fullwidth_in(address->local)) {
    problems.add(path, std::move(*wide));
    return std::nullopt;
  }
  if (const auto reason = why_not_sent_to(address->domain); !reason.empty()) {
    problems.add(path, texts::invalid_email(reason));
    return std::nullopt;
  }
  return std::move(*address);
}

void trim_in_place(std::string& email) {
  email = std::string(trim_invisible(email));
}

// True if the address may be looked at further.
bool check_mailbox(Mailbox& mailbox, const Path& path, const Limits& limits, Problems& problems) {
  trim_in_place(mailbox.address);
  strip_misleading(mailbox.name);
  const bool has_length =
      check_email_length(mailbox.address, below(path, "email"), limits, problems);
  check_line(mailbox.name, 0, limits.name_characters_max, below(path, "name"), problems);
  return has_length;
}

// From and Reply-To as far as they are given: what composing could not write is refused here.
void check_senders(Mailbox* from, Mailbox* reply_to, const Limits& limits, Problems& problems) {
  Content senders;
  const bool has_from = from != nullptr && check_mailbox(*from, {"from"}, limits, problems);
  const bool has_reply_to =
      reply_to != nullptr && check_mailbox(*reply_to, {"reply_to"}, limits, problems);
  if (has_from) senders.from = *from;
  if (has_reply_to) senders.reply_to = *reply_to;
  auto unwritable = mime::check_composable(senders);
  if (!has_from) {
    std::erase_if(unwritable, [](const mime::Unwritable& address) {
      return address.field == mime::AddressField::from;
    });
  }
  add_unwritable(unwritable, problems);
}

void check_text_part(std::string_view text, const Limits& limits, Problems& problems) {
  if (utf8_length(text) > limits.text_part_characters_max) {
    problems.add({"text_part"}, texts::length(0, limits.text_part_characters_max));
  }
  check_characters(text, {"text_part"}, problems);
}

void check_html_part(std::string_view html, const Limits& limits, Problems& problems) {
  if (utf8_length(html) > limits.html_part_characters_max) {
    problems.add({"html_part"}, texts::length(0, limits.html_part_characters_max));
  }
  check_characters(html, {"html_part"}, problems);
  // Contract section 2.1.
  if (html.contains("<![CDATA[")) problems.add({"html_part"}, texts::html_construct("CDATA"));
  if (html.contains("<?xml")) problems.add({"html_part"}, texts::html_construct("<?xml ?>"));
}

// Kept as given, less what is invisible around it: only with a recipient's insert codes it is known
// what has to be encoded (mime/uri.h). Here it is seen whether anything can come of it.
void check_unsubscribe_uri(std::string& uri, std::string_view field,
                           std::initializer_list<std::string_view> schemes, const Limits& limits,
                           Problems& problems) {
  uri = trim_invisible(uri);
  if (uri.empty()) return;
  const Path path{"list_unsubscribe", std::string(field)};
  if (utf8_length(uri) > limits.list_unsubscribe_characters_max) {
    problems.add(path, texts::length(1, limits.list_unsubscribe_characters_max));
  }
  if (!is_utf8(uri)) problems.add(path, texts::not_utf8());
  if (has_control_character(uri)) problems.add(path, texts::control_character());
  const bool known = std::ranges::any_of(schemes, [&](std::string_view scheme) {
    return equals_ignoring_case(std::string_view(uri).substr(0, scheme.size()), scheme);
  });
  if (!known) {
    return problems.add(path,
                        texts::lacks_scheme(uri, fmt::format("{}", fmt::join(schemes, " / "))));
  }
  const auto valid = mime::valid_uri(uri);
  if (!valid) problems.add(path, texts::invalid_uri(valid.error().detail));
}

}  // namespace

void add_unwritable(const std::vector<mime::Unwritable>& found, Problems& problems) {
  for (const mime::Unwritable& address : found) {
    Path path;
    switch (address.field) {
      case mime::AddressField::from:
        path = {"from", "email"};
        break;
      case mime::AddressField::reply_to:
        path = {"reply_to", "email"};
        break;
      case mime::AddressField::to:
        path = {"to"};
        break;
      case mime::AddressField::cc:
        path = {"cc", std::to_string(address.index)};
        break;
    }
    problems.add(std::move(path), texts::invalid_email(address.reason));
  }
}

void check_has_text(const Content& content, Problems& problems) {
  if (content.text_part.empty() && content.html_part.empty()) {
    problems.add({"text_part"}, texts::required());
    problems.add({"text_part"}, texts::html_would_do());
  }
}

void check_unsubscribe_link(const Content& content, Purpose purpose, const Limits& limits,
                            Problems& problems) {
  if (limits.unsubscribe_link && purpose == Purpose::advertisement) return;
  const auto look = [&](std::string_view text, std::string_view field) {
    if (!text.contains(mime::kUnsubscribeKey)) return;
    problems.add({std::string(field)}, limits.unsubscribe_link
                                           ? texts::link_of_advertisements(mime::kUnsubscribeKey)
                                           : texts::no_unsubscribe_link(mime::kUnsubscribeKey));
  };
  look(content.text_part, "text_part");
  look(content.html_part, "html_part");
}

void check_one_click(const Content& content, Problems& problems) {
  constexpr std::string_view kHttps = "https://";
  if (!content.list_unsubscribe_one_click) return;
  const std::string_view url = content.list_unsubscribe_url;
  if (equals_ignoring_case(url.substr(0, kHttps.size()), kHttps)) return;
  problems.add({"list_unsubscribe", "one_click"}, texts::wants_https_url());
}

std::optional<Text> fault_of_sender(const Mailbox& from, store::AccountKey account,
                                    const Senders* senders) {
  if (senders == nullptr) return std::nullopt;
  const auto address = parse_address(from.address);
  if (!address) return std::nullopt;
  const auto verdict = senders->judge(account, address->domain);
  if (!Senders::refuses(verdict)) return std::nullopt;
  return texts::not_your_domain(address->domain, verdict == Senders::Verdict::of_another);
}

void check_sender(const Mailbox& from, store::AccountKey account, const Senders* senders,
                  Problems& problems) {
  if (auto fault = fault_of_sender(from, account, senders)) {
    problems.add({"from", "email"}, std::move(*fault));
  }
}

namespace {

// Its name at `name_path`, its type at `type_path`.
void check_file(const Attachment& file, const Path& name_path, const Path& type_path,
                const Limits& limits, Problems& problems) {
  if (file.file_name.empty()) problems.add(name_path, texts::required());
  if (file.file_name.size() > limits.attachment_name_octets_max) {
    problems.add(name_path, texts::length(1, limits.attachment_name_octets_max));
  }
  check_characters(file.file_name, name_path, problems);
  check_characters(file.mime_type, type_path, problems);
  const bool refused =
      std::ranges::any_of(mime::file_extensions(file.file_name), [](const std::string& extension) {
        return std::ranges::find(kRefusedExtensions, extension) != kRefusedExtensions.end();
      });
  if (refused) {
    problems.add(name_path, texts::refused_extension(mime::clean_file_name(file.file_name)));
  }
}

// `seen`: the ids of those before. Two that differ in the case of letters alone are told apart by
// some mail programs only.
void check_inline_part(const Attachment& part, const Path& path, std::set<std::string>& seen,
                       Problems& problems) {
  const Path id_path = below(path, "content_id");
  if (part.content_id.size() > mime::kContentIdOctetsMax) {
    problems.add(id_path, texts::length(1, mime::kContentIdOctetsMax));
  } else if (!mime::is_content_id(part.content_id)) {
    problems.add(id_path, texts::invalid_content_id());
  } else if (!seen.insert(to_ascii_lower(part.content_id)).second) {
    problems.add(id_path, texts::given_twice());
  }
  if (part.mime_type.empty()) problems.add(below(path, "mime"), texts::required());
  if (part.data.empty()) problems.add(below(path, "content"), texts::required());
}

// What is said of files as a whole is said of the attachments, if there are any.
Path path_of_all(bool has_attached) {
  return {has_attached ? "file" : "inline_parts"};
}

void check_all_files(std::size_t count, std::uint64_t octets, const Path& path,
                     const Limits& limits, Problems& problems) {
  if (count > limits.attachments_max) problems.add(path, texts::too_many(limits.attachments_max));
  if (octets > limits.attachments_octets_max) {
    problems.add(path, texts::attachments_too_big(octets, limits.attachments_octets_max));
  }
}

}  // namespace

void check_attachments(const std::vector<Attachment>& attachments, const Limits& limits,
                       Problems& problems) {
  std::size_t attached = 0;
  std::size_t inline_parts = 0;
  std::uint64_t octets = 0;
  std::set<std::string> ids;
  for (const Attachment& attachment : attachments) {
    octets += attachment.data.size();
    if (attachment.content_id.empty()) {
      const Path path{"file", std::to_string(attached++)};
      check_file(attachment, path, path, limits, problems);
    } else {
      const Path path{"inline_parts", std::to_string(inline_parts++)};
      check_inline_part(attachment, path, ids, problems);
      check_file(attachment, below(path, "file_name"), below(path, "mime"), limits, problems);
    }
  }
  check_all_files(attachments.size(), octets, path_of_all(attached > 0), limits, problems);
}

void check_files_of_draft(const store::Delivery& draft, const Limits& limits, Problems& problems) {
  std::uint64_t octets = 0;
  bool has_inline = false;
  for (const store::AttachmentRecord& file : draft.attachments) {
    octets += static_cast<std::uint64_t>(file.size);
    has_inline = has_inline || !file.content_id.empty();
  }
  if (!has_inline) return;  // what is attached was looked at when it came
  const Path path{"inline_parts"};
  if (draft.content.html_part.empty()) problems.add(path, texts::wants_html());
  check_all_files(draft.attachments.size(), octets, path, limits, problems);
}

void check_headers(std::vector<ExtraHeader>& headers, Problems& problems) {
  if (headers.size() > mime::kExtraHeadersMax) {
    problems.add({"headers"}, texts::too_many(mime::kExtraHeadersMax));
    return;
  }
  std::set<std::string> seen;
  for (ExtraHeader& header : headers) {
    const Path path{"headers", std::string(utf8_prefix(header.name, mime::kHeaderNameOctetsMax))};
    const auto form = mime::form_of_header(header.name);
    if (!form) {
      problems.add(path, texts::invalid_header(form.error().detail));
      continue;
    }
    if (!seen.insert(to_ascii_lower(header.name)).second) problems.add(path, texts::given_twice());
    strip_misleading(header.value);
    header.value = trim_invisible(header.value);
    if (!is_utf8(header.value)) {
      problems.add(path, texts::not_utf8());
    } else if (has_control_character(header.value)) {
      problems.add(path, texts::control_character());
    } else if (const auto sound = mime::check_header_value(*form, header.value); !sound) {
      problems.add(path, texts::invalid_header(sound.error().detail));
    }
  }
}

namespace {

void check_fields(Content& content, const Limits& limits, Problems& problems) {
  check_senders(&content.from, content.reply_to ? &*content.reply_to : nullptr, limits, problems);
  strip_misleading(content.subject);
  check_line(content.subject, 1, limits.subject_characters_max, {"subject"}, problems);
  check_has_text(content, problems);
  check_text_part(content.text_part, limits, problems);
  check_html_part(content.html_part, limits, problems);
  check_unsubscribe_uri(content.list_unsubscribe_mailto, "mailto", {"mailto:"}, limits, problems);
  check_unsubscribe_uri(content.list_unsubscribe_url, "url", {"http://", "https://"}, limits,
                        problems);
  check_one_click(content, problems);
  check_headers(content.headers, problems);
  for (Attachment& attachment : content.attachments) strip_misleading(attachment.file_name);
  check_attachments(content.attachments, limits, problems);
  const bool has_inline = std::ranges::any_of(
      content.attachments, [](const Attachment& file) { return !file.content_id.empty(); });
  if (has_inline && content.html_part.empty()) problems.add({"inline_parts"}, texts::wants_html());
}

}  // namespace

void check_content(Content& content, const Limits& limits, Problems& problems) {
  check_fields(content, limits, problems);
  if (problems.empty()) {
    check_content_size(content, mime::MessageSize(content), limits, problems);
  }
}

void check_label(std::string_view text, std::size_t min, std::size_t max, const Path& path,
                 Problems& problems) {
  check_line(text, min, max, path, problems);
  if (!is_utf8(text) || has_control_character(text)) return;
  std::string seen(text);
  for (auto at = seen.find(kWideSpace); at != std::string::npos; at = seen.find(kWideSpace, at)) {
    seen.replace(at, kWideSpace.size(), " ");
  }
  const auto invisible = find_invisible(seen);
  if (invisible) problems.add(path, texts::invisible_character(*invisible));
}

Labels check_labels(const LabelsRequest& labels, Problems& problems) {
  Labels checked;
  if (labels.tags) {
    checked.tags = *labels.tags;
    if (checked.tags.size() > kTagsMax) problems.add({"tags"}, texts::too_many(kTagsMax));
    for (std::size_t i = 0; i < std::min(checked.tags.size(), kTagsMax); ++i) {
      check_label(checked.tags[i], 1, kTagCharactersMax, {"tags", std::to_string(i)}, problems);
    }
  }
  if (labels.list_id) {
    checked.list_id = *labels.list_id;
    check_label(checked.list_id, 0, kListIdCharactersMax, {"list_id"}, problems);
  }
  if (labels.purpose && !labels.purpose->empty()) {
    const auto purpose = parse_purpose(*labels.purpose);
    if (!purpose) {
      problems.add({"purpose"},
                   texts::not_one_of(*labels.purpose, "advertisement, notice, transactional"));
    }
    checked.purpose = purpose.value_or(Purpose::by_type);
  }
  return checked;
}

void check_update(UpdateRequest& update, const Limits& limits, Problems& problems) {
  check_senders(update.from ? &*update.from : nullptr,
                update.reply_to ? &*update.reply_to : nullptr, limits, problems);
  if (update.subject) {
    strip_misleading(*update.subject);
    check_line(*update.subject, 1, limits.subject_characters_max, {"subject"}, problems);
  }
  if (update.text_part) check_text_part(*update.text_part, limits, problems);
  if (update.html_part) check_html_part(*update.html_part, limits, problems);
  if (update.list_unsubscribe_mailto) {
    check_unsubscribe_uri(*update.list_unsubscribe_mailto, "mailto", {"mailto:"}, limits, problems);
  }
  if (update.list_unsubscribe_url) {
    check_unsubscribe_uri(*update.list_unsubscribe_url, "url", {"http://", "https://"}, limits,
                          problems);
  }
  if (update.headers) check_headers(*update.headers, problems);
  if (update.inline_parts) {
    for (Attachment& part : *update.inline_parts) strip_misleading(part.file_name);
    check_attachments(*update.inline_parts, limits, problems);
  }
  if (update.to && update.to->size() > limits.update_recipients_max) {
    problems.add({"to"}, texts::too_many(limits.update_recipients_max));
  }
}

namespace {

// `place(i, member)`: where the member of the code `i` is told.
template <class Place>
void check_codes_at(const std::vector<InsertCode>& codes, const Path& list, const Place& place,
                    const Limits& limits, Problems& problems) {
  if (codes.size() > limits.insert_codes_max) {
    problems.add(list, texts::too_many(limits.insert_codes_max));
    return;
  }
  std::set<std::string_view> seen;
  for (std::size_t i = 0; i < codes.size(); ++i) {
    const InsertCode& code = codes[i];
    if (const auto valid = mime::validate_insert_key(code.key); !valid) {
      const std::size_t most =
          mime::is_brace_key(code.key) ? mime::kBraceKeyOctetsMax : mime::kInsertKeyOctetsMax;
      problems.add(place(i, "key"), valid.error() == mime::InsertKeyProblem::length
                                        ? texts::length(mime::kInsertKeyOctetsMin, most)
                                        : texts::invalid_format(code.key));
    } else if (!seen.insert(code.key).second) {
      problems.add(place(i, "key"), texts::duplicate_key(code.key));
    }
    check_characters(code.value, place(i, "value"), problems);
    if (utf8_length(code.value) > limits.insert_value_characters_max) {
      problems.add(place(i, "value"), texts::length(0, limits.insert_value_characters_max));
    }
  }
}

}  // namespace

void check_insert_codes(const std::vector<InsertCode>& codes, const Path& path,
                        const Limits& limits, Problems& problems) {
  const auto place = [&](std::size_t index, std::string_view member) {
    return below(below(path, std::to_string(index)), member);
  };
  check_codes_at(codes, path, place, limits, problems);
}

Path path_of_code(const Path& recipient, std::string_view key, std::size_t index,
                  std::string_view member) {
  if (mime::is_brace_key(key) && mime::validate_insert_key(key)) {
    return below(below(recipient, "data"), key.substr(2, key.size() - 4));
  }
  return below(below(below(recipient, "insert_code"), std::to_string(index)), member);
}

void check_codes_of(const std::vector<InsertCode>& codes, const Path& recipient,
                    const Limits& limits, Problems& problems) {
  const auto place = [&](std::size_t index, std::string_view member) {
    return path_of_code(recipient, codes[index].key, index, member);
  };
  check_codes_at(codes, below(recipient, "insert_code"), place, limits, problems);
}

namespace {

// A text that is shown to people: nothing in it hides or turns what stands beside it. Joiners and
// variation selectors stay: names are written with them.
void check_shown(std::string_view text, const Path& path, Problems& problems) {
  if (!is_utf8(text)) return problems.add(path, texts::not_utf8());
  if (has_control_character(text)) return problems.add(path, texts::control_character());
  std::size_t position = 0;
  while (!text.empty()) {
    const CodePoint point = decode_utf8(text);
    ++position;
    if (is_misleading(point.value)) {
      problems.add(path, texts::invisible_character({point.value, position}));
      return;
    }
    text.remove_prefix(point.octets);
  }
}

}  // namespace

void check_attached(const Attached& attached, const Path& path, Problems& problems) {
  const Path reference = below(path, "reference");
  check_shown(attached.reference, reference, problems);
  if (attached.reference.size() > kReferenceOctetsMax) {
    problems.add(reference, texts::octets(kReferenceOctetsMax));
  }
  const Path metadata = below(path, "metadata");
  if (attached.metadata.size() > kMetadataMembersMax) {
    problems.add(metadata, texts::too_many(kMetadataMembersMax));
    return;
  }
  std::set<std::string_view> seen;
  std::size_t octets = 0;
  for (const auto& [name, value] : attached.metadata) {
    check_shown(name, metadata, problems);
    check_shown(value, metadata, problems);
    if (name.empty() || name.size() > kMetadataNameOctetsMax) {
      problems.add(metadata, texts::name_octets(kMetadataNameOctetsMax));
    }
    if (!seen.insert(name).second) problems.add(metadata, texts::duplicate_key(name));
    octets += name.size() + value.size();
  }
  if (octets > kMetadataOctetsMax) problems.add(metadata, texts::octets(kMetadataOctetsMax));
}

void check_start(Instant start, Instant now, const Path& path, const Limits& limits,
                 Problems& problems) {
  if (start < now - limits.reservation_past_tolerance) {
    problems.add(path, texts::in_the_past());
  } else if (start > now + limits.reservation_horizon) {
    problems.add(path, texts::too_far_ahead());
  }
}

store::NewRecipient check_recipient(const RecipientRequest& recipient, const Path& path,
                                    const Limits& limits, Problems& problems) {
  const auto address =
      check_email(trim_invisible(recipient.email), below(path, "email"), limits, problems);
  check_codes_of(recipient.insert_codes, path, limits, problems);
  check_attached(recipient.attached, path, problems);
  if (!address) return {};
  store::NewRecipient checked{address->to_string(), address->domain, recipient.insert_codes};
  attach(recipient.attached, checked.insert_codes);
  return checked;
}

void check_allowed(std::string_view allowed, std::string_view address, const Path& path,
                   Problems& problems) {
  if (address.empty() || allows(allowed, address)) return;
  problems.add(path, texts::not_allowed_recipient(address));
}

void check_life(Milliseconds life, Milliseconds life_time, const Path& path, Problems& problems) {
  if (life >= std::chrono::seconds(1) && life <= life_time) return;
  problems.add(path,
               texts::not_in_range(1, std::chrono::floor<std::chrono::seconds>(life_time).count()));
}

void check_times(const TransactionRequest& request, Instant now, Milliseconds life_time,
                 const Limits& limits, Problems& problems) {
  if (request.send_at) check_start(*request.send_at, now, {"send_at"}, limits, problems);
  if (request.expires_in) check_life(*request.expires_in, life_time, {"expires_in"}, problems);
}

std::vector<store::NewRecipient> check_transaction(TransactionRequest& request,
                                                   const Limits& limits, Problems& problems,
                                                   std::string_view allowed) {
  check_fields(request.content, limits, problems);
  check_codes_of(request.insert_codes, {}, limits, problems);
  check_attached(request.attached, {}, problems);
  // What a transaction has beside its first address: as many of each kind.
  if (request.more_to.size() > limits.cc_max) {
    problems.add({"to"}, texts::too_many(limits.cc_max + 1));
  }
  if (request.cc.size() > limits.cc_max) problems.add({"cc"}, texts::too_many(limits.cc_max));
  if (request.bcc.size() > limits.bcc_max) problems.add({"bcc"}, texts::too_many(limits.bcc_max));

  std::vector<store::NewRecipient> recipients;
  std::set<std::string> seen;
  const auto add = [&](std::string& email, const Path& path) {
    trim_in_place(email);
    const auto address = check_email(email, path, limits, problems);
    if (!address) return;
    std::string canonical = address->to_string();
    email = canonical;  // as the header will say it
    check_allowed(allowed, canonical, path, problems);
    if (!seen.insert(to_ascii_lower(canonical)).second) return;
    recipients.push_back({std::move(canonical), address->domain, request.insert_codes});
    attach(request.attached, recipients.back().insert_codes);
  };
  add(request.to, {"to"});
  for (std::size_t i = 0; i < request.more_to.size() && i < limits.cc_max; ++i) {
    add(request.more_to[i], below({"to"}, std::to_string(i + 1)));
  }
  for (std::size_t i = 0; i < request.cc.size() && i < limits.cc_max; ++i) {
    add(request.cc[i], below({"cc"}, std::to_string(i)));
  }
  for (std::size_t i = 0; i < request.bcc.size() && i < limits.bcc_max; ++i) {
    add(request.bcc[i], below({"bcc"}, std::to_string(i)));
  }
  request.content.header_to = {request.to};
  request.content.header_to.insert(request.content.header_to.end(), request.more_to.begin(),
                                   request.more_to.end());
  request.content.header_cc = request.cc;
  if (problems.empty()) {
    const mime::MessageSize size(request.content);
    check_content_size(request.content, size, limits, problems);
    check_codes_size(request.insert_codes, size, {}, limits, problems);
  }
  return recipients;
}

}  // namespace todoku::intake
