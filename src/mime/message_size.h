// SPDX-License-Identifier: Apache-2.0
// How large a recipient's message can become, told from the texts and the values that are put in,
// without composing it. A few kilobytes of text with many insert codes and a few values can say
// gigabytes; who keeps or composes a mail asks here first.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "mime/content.h"
#include "mime/extra_header.h"
#include "mime/insert_code.h"

namespace todoku::mime {

// What a text costs in each form that it may be sent in, line ends as CRLF. The costs of two texts
// add up to at least the cost of both in a row. Saturates instead of overflowing.
struct TextCost {
  std::uint64_t octets = 0;
  std::uint64_t quoted = 0;  // quoted-printable, less soft line breaks
  std::uint64_t jis = 0;     // ISO-2022-JP
  bool is_ascii = true;

  void add(const TextCost& other, std::uint64_t times);
};
[[nodiscard]] TextCost text_cost(std::string_view text);

class MessageSize {
 public:
  MessageSize() = default;
  // Of everything in `content`, its attachments included.
  explicit MessageSize(const Content& content);

  // For attachments whose data is somewhere else.
  void add_attachment(std::uint64_t octets);

  // At least ComposedMessage::size() for a recipient with these codes, in any charset, and not much
  // more. Costs a look at each octet of the values.
  [[nodiscard]] std::uint64_t octets(std::span<const InsertCodeView> codes) const;

  // In how many places the content has this key.
  [[nodiscard]] std::uint64_t uses(std::string_view key) const;

  [[nodiscard]] std::size_t memory_octets() const;

 private:
  enum class Form : std::uint8_t { part, made_part, html_part, header, uri };
  struct Text {
    Form form = Form::part;
    TextCost literal;
    std::vector<std::uint32_t> uses;  // by key number
  };
  // Subject, two URIs, plain and HTML text, and what the sender adds.
  static constexpr std::size_t kTextsMax = 5 + kExtraHeadersMax;

  void add_text(Form form, std::string_view text, KeyForms forms = KeyForms::contract);
  [[nodiscard]] std::uint64_t expanded(Form form, const TextCost& cost) const;

  Encoding charset_ = Encoding::utf_8;
  std::uint64_t fixed_ = 0;  // whatever the codes
  InsertKeys keys_;
  std::vector<Text> texts_;
};

}  // namespace todoku::mime
