// SPDX-License-Identifier: Apache-2.0
#include "store/templates.h"

#include <fmt/format.h>

#include "store/codec.h"
#include "store/texts.h"

namespace todoku::store {
namespace {

constexpr std::uint64_t kTemplateForm = 1;  // of what is packed; later ones add at the end
constexpr auto kTemplateEscapeMax = static_cast<std::uint64_t>(Escape::html);

}  // namespace

std::string pack_template(const Content& content) {
  std::string packed;
  put_varint(packed, kTemplateForm);
  put_varint(packed, static_cast<std::uint64_t>(content.escape));
  put_text(packed, content.from.address);
  put_text(packed, content.from.name);
  put_text(packed, content.subject);
  put_text(packed, content.text_part);
  put_text(packed, content.html_part);
  return packed;
}

Result<Content> unpack_template(std::string_view packed) {
  BlobReader in(packed);
  Content content;
  const std::uint64_t form = in.varint();
  const std::uint64_t escape = in.varint();
  content.escape = static_cast<Escape>(escape);
  content.from.address = in.text();
  content.from.name = in.text();
  content.subject = in.text();
  content.text_part = in.text();
  content.html_part = in.text();
  if (in.failed() || form == 0 || escape > kTemplateEscapeMax) {
    return fail(ErrorKind::corrupt, "a damaged template in the store");
  }
  return content;
}

Result<void> check_sound(const NewTemplate& wanted) {
  const Content& content = wanted.content;
  if (wanted.name.empty()) return fail(ErrorKind::invalid_input, "a template has no name");
  auto sound = check_text("name of a template", wanted.name);
  for (const std::string* text : {&content.from.address, &content.from.name, &content.subject,
                                  &content.text_part, &content.html_part}) {
    if (sound) sound = check_text("template", *text);
  }
  return sound;
}

std::unexpected<Error> no_such_template() {
  return fail(ErrorKind::not_found, "there is no such template, or this version is not kept");
}

std::unexpected<Error> too_many_templates() {
  return fail(ErrorKind::limit_exceeded,
              fmt::format("an account has at most {} templates", kTemplatesMax));
}

std::unexpected<Error> templates_too_large() {
  return fail(ErrorKind::limit_exceeded,
              fmt::format("an account's templates have at most {} octets with the versions that "
                          "are kept",
                          kTemplateOctetsMax));
}

std::unexpected<Error> template_name_taken() {
  return fail(ErrorKind::conflict, "another template has this name");
}

}  // namespace todoku::store
