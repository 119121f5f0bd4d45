// SPDX-License-Identifier: Apache-2.0
// Any octets as what an IMAP server answers: to LIST, to UID SEARCH, and as a mail's header.
// Oracles: nothing dies; what is read is bounded and in order; verdicts are words of the text, and
// nobody's are believed where nobody is named.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/bytes.h"
#include "base/check.h"
#include "probe/imap_answers.h"
#include "probe/verdicts.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace todoku::probe;
  using todoku::check;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto folders = read_folders(text);
  check(folders.size() <= kFoldersMax, "folders are bounded");
  auto before = todoku::store::ProbePlace::inbox;
  for (const Folder& folder : folders) {
    check(!folder.name.empty() && folder.name.size() <= kFolderOctetsMax, "a name is bounded");
    check(folder.shown.find('\n') == std::string::npos, "a name is one line");
    check(folder.place >= before, "the inbox comes first");
    before = folder.place;
  }
  check(read_found(text).size() <= kFoundMax, "numbers are bounded");
  const Verdicts verdicts = read_verdicts(text, "example.com");
  const std::string lower = todoku::to_ascii_lower(text);
  for (const std::string* verdict : {&verdicts.spf, &verdicts.dkim, &verdicts.dmarc}) {
    check(verdict->size() <= kVerdictOctetsMax, "a verdict is bounded");
    check(verdict->empty() || lower.find("authentication-results") != std::string::npos,
          "a verdict stands in its field");
  }
  const Verdicts nobodys = read_verdicts(text, "");
  check(nobodys.spf.empty() && nobodys.dkim.empty() && nobodys.dmarc.empty(), "nobody is believed");
  return 0;
}
