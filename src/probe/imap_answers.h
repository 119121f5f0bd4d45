// SPDX-License-Identifier: Apache-2.0
// What IMAP servers answer (RFC 3501), as far as a mail is looked for in their folders. Pure.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "store/probes.h"

namespace todoku::probe {

struct Folder {
  std::string name;                                    // as the server says it, in modified UTF-7
  std::string shown;                                   // for people, in UTF-8
  store::ProbePlace place = store::ProbePlace::other;  // inbox, junk or other
  friend bool operator==(const Folder&, const Folder&) = default;
};

inline constexpr std::size_t kFoldersMax = 40;
inline constexpr std::size_t kFolderOctetsMax = 512;  // of a name; longer ones are passed over
inline constexpr std::size_t kFoundMax = 16;

// Folders that mail may arrive in, of the answers to LIST: the inbox first, then the junk, by its
// special use (RFC 6154) or by names that receivers give it, then the others; no sent mail, drafts
// or what cannot be opened. Lines that are no such answers are passed over.
[[nodiscard]] std::vector<Folder> read_folders(std::string_view answer);

// The numbers of the answers to UID SEARCH, the first ones.
[[nodiscard]] std::vector<std::uint32_t> read_found(std::string_view answer);

// Modified UTF-7 (RFC 3501 section 5.1.3) as UTF-8; what is none stays as it is.
[[nodiscard]] std::string folder_for_people(std::string_view name);

}  // namespace todoku::probe
