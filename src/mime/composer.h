// SPDX-License-Identifier: Apache-2.0
// The steps of composing one message from a template. Internal to mime: use MessageTemplate.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "mime/composed_message.h"
#include "mime/message_size.h"
#include "mime/message_template.h"
#include "mime/part_template.h"

namespace todoku::mime {

// Fields are kept as they go on the wire, empty where the message has none.
struct MessageTemplate::Parts {
  // The fields that hold a display name.
  struct NamedFields {
    std::string from;
    std::string reply_to;
  };

  // What the sender adds: `raw` as it goes on the wire, or a text that is the recipient's own.
  struct ExtraField {
    std::string name;
    std::string raw;
    CompiledText text;
  };

  InsertKeys keys;
  Encoding charset = Encoding::utf_8;      // of all recipients that it can serve
  bool text_is_made = false;               // the plain text, from the HTML
  WantedForms wanted;                      // of values
  std::optional<std::uint32_t> pixel_key;  // for what is a copy's own of its pixel
  bool charset_fell_back = false;          // already the delivery's own texts need UTF-8
  int date_offset_minutes = 0;
  std::array<NamedFields, 2> named{};  // by Encoding
  std::string to;                      // a transaction's; empty: the recipient
  std::string cc;
  std::string feedback_id;
  std::vector<ExtraField> extra;
  CompiledText subject;
  CompiledText unsubscribe_url;
  CompiledText unsubscribe_mailto;
  bool is_one_click = false;                // so the sender says of its URL
  std::string unsubscribe_at_ours;          // a copy's own segment follows
  std::string unsubscribe_mail_to_us;       // likewise
  std::optional<std::uint32_t> link_key;    // kUnsubscribeKey, if a text has it
  std::string link_at_ours;                 // what it is then; a copy's own segment follows
  std::vector<PartTemplate> texts;          // one, or plain and html
  std::vector<std::string> files;           // encoded, in the order of Content::attachments
  std::vector<std::uint64_t> gaps;          // of each, if its data is outside: encoded octets
  std::vector<std::size_t> inline_files;    // of those, what the HTML shows
  std::vector<std::size_t> attached_files;  // and the others
  MessageSize size;

  [[nodiscard]] NamedFields& named_fields(Encoding encoding) {
    return named[static_cast<std::size_t>(encoding)];
  }
  [[nodiscard]] const NamedFields& named_fields(Encoding encoding) const {
    return named[static_cast<std::size_t>(encoding)];
  }
  [[nodiscard]] std::size_t memory_octets() const;
};

class Composer {
 public:
  Composer(const MessageTemplate::Parts& parts, const RecipientFields& recipient,
           const Identity& identity, ComposedMessage& out);
  void run();

 private:
  // A multipart's delimiter: kBoundaryPrefix, a letter for its level, a hash in hexadecimal.
  using Boundary = std::array<char, 35>;

  [[nodiscard]] bool compose_in(Encoding charset);
  [[nodiscard]] bool compose_body(Encoding charset);
  [[nodiscard]] bool compose_multipart(Encoding charset);
  [[nodiscard]] bool compose_texts(Encoding charset);
  void add_files(std::span<const std::size_t> files, const Boundary& boundary);
  void append_multipart_type(std::string& out) const;
  static void append_multipart_field(std::string& out, std::string_view type,
                                     const Boundary& boundary);
  [[nodiscard]] bool compose_head(Encoding charset);
  void add_delimiter(const Boundary& boundary, std::string_view end);
  void add_field(std::string_view name, std::string_view raw);
  void begin_field(std::string_view name);
  void add_date();
  void add_to();
  [[nodiscard]] bool add_subject(Encoding charset);
  void add_message_id();
  void add_extra(Encoding charset);
  void add_content_fields(Encoding charset);
  void add_list_unsubscribe();
  void expand_header(const CompiledText& text);
  [[nodiscard]] std::string expanded_uri(const CompiledText& uri);
  [[nodiscard]] bool has_own_segment() const;
  void finish_head();
  void finish_body();

  [[nodiscard]] Boundary make_boundary(char purpose) const;
  [[nodiscard]] bool is_alternative() const { return parts_.texts.size() > 1; }
  [[nodiscard]] bool is_related() const { return !parts_.inline_files.empty(); }
  [[nodiscard]] bool is_mixed() const { return !parts_.attached_files.empty(); }

  const MessageTemplate::Parts& parts_;
  const RecipientFields& recipient_;
  const Identity& identity_;
  ComposedMessage& out_;
  Boundary mixed_{};
  Boundary alternative_{};
  Boundary related_{};
  std::optional<TransferEncoding> single_encoding_;  // of a message that is no multipart
  std::size_t message_id_begin_ = 0;
  std::size_t message_id_octets_ = 0;
};

}  // namespace todoku::mime
