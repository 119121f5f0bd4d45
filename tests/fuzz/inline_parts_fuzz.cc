// SPDX-License-Identifier: Apache-2.0
// HTML refers to parts. Oracles: references lie in the HTML one behind the other, each behind
// "cid:"; nothing but them is changed, and what is changed refers to the whole ids; once changed,
// nothing is changed again.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/check.h"
#include "mime/inline_parts.h"

namespace todoku::mime {
namespace {

constexpr std::string_view kTail = ".0f@mail.example.jp";

const std::vector<Attachment>& files() {
  static const std::vector<Attachment> all{{"a", "image/png", "x", "a"},
                                           {"b", "image/png", "x", "logo.png"},
                                           {"c", "image/png", "x", "c@d"},
                                           {"d", "text/plain", "x"}};
  return all;
}

bool is_ours(std::string_view id) {
  return std::ranges::any_of(files(), [&](const Attachment& file) {
    return is_content_id(file.content_id) && file.content_id == id;
  });
}

void run(std::string_view html) {
  const auto references = content_references(html);
  std::string expected;
  std::size_t from = 0;
  for (const ContentReference& reference : references) {
    check(
        from <= reference.begin && reference.begin < reference.end && reference.end <= html.size(),
        "references lie one behind the other");
    check(reference.begin >= 4 && equals_ignoring_case(html.substr(reference.begin - 4, 4), "cid:"),
          "each is behind its scheme");
    check(!reference.id.empty(), "each refers to something");
    expected += html.substr(from, reference.begin - from);
    const std::string_view written = html.substr(reference.begin, reference.end - reference.begin);
    expected +=
        is_ours(reference.id) ? whole_content_id(reference.id, kTail) : std::string(written);
    from = reference.end;
  }
  expected += html.substr(from);
  const std::string whole = with_whole_ids(std::string(html), files(), kTail);
  check(whole == expected, "nothing but references is changed");
  check(content_references(whole).size() == references.size(), "each is one still");
  check(with_whole_ids(whole, files(), kTail) == whole, "nothing is changed twice");
}

}  // namespace
}  // namespace todoku::mime

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  todoku::mime::run({reinterpret_cast<const char*>(data), size});
  return 0;
}
