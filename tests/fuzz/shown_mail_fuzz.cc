// SPDX-License-Identifier: Apache-2.0
// A message of somebody else's, shown: whatever it holds, what is told is UTF-8, bounded, and the
// same again. And signatures of any header are killed without a change of its length.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/bytes.h"
#include "base/check.h"
#include "delivery/dead_secrets.h"
#include "mime/shown_mail.h"

using namespace todoku;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view octets(reinterpret_cast<const char*>(data), size);
  const mime::ShownMail shown = mime::shown_mail(octets);
  check(shown.fields.size() <= mime::kShownFieldsMax, "fields are bounded");
  check(shown.files.size() <= mime::kShownFilesMax, "files are bounded");
  for (const mime::ShownText* text : {&shown.text, &shown.html}) {
    check(text->text.size() <= mime::kShownTextOctetsMax, "texts are bounded");
    check(is_utf8(text->text), "texts are UTF-8");
    check(text->is_there || text->text.empty(), "what is not there says nothing");
  }
  for (const mime::ShownField& field : shown.fields) {
    check(is_utf8(field.value), "fields are UTF-8");
    check(field.value.size() <= mime::kShownFieldOctetsMax, "fields are bounded");
  }
  for (const mime::ShownFile& file : shown.files) {
    check(is_utf8(file.name) && is_utf8(file.content_id), "names are UTF-8");
  }
  const mime::ShownMail again = mime::shown_mail(octets);
  check(again.text.text == shown.text.text && again.files.size() == shown.files.size(),
        "the same message shows the same");

  std::string killed(octets);
  delivery::kill_signatures(killed);
  check(killed.size() == octets.size(), "no length changes");
  std::string twice = killed;
  delivery::kill_signatures(twice);
  check(twice == killed, "what is dead stays so");
  return 0;
}
