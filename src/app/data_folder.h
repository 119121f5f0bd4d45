// SPDX-License-Identifier: Apache-2.0
// The folder of an installation: for one engine and its user alone.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "base/result.h"

namespace todoku::app {

// Makes the folder, or closes it to others if it is ours and holds nothing of others. Errors:
// unauthorized (others can read it), io; the sentence says what to do.
[[nodiscard]] Result<void> prepare_data_folder(const std::string& path);

// Whether that, and writing in it, would be refused. Changes nothing; of a folder that is not there
// yet it looks at the one that it would be made in.
[[nodiscard]] Result<void> check_folder_rights(const std::string& path);

// Of app/age.h.
inline constexpr std::string_view kAgeFile = "served.age";

struct FolderContents {
  bool database = false;
  bool foreign_file = false;
  bool foreign_folder = false;
  std::size_t uploads = 0;
  std::string saved;      // a database that was removed under an engine: StoreLock::rescue()
  std::string restoring;  // left by a restore that was broken off

  // Whether others may live here as well.
  [[nodiscard]] bool shared() const { return foreign_folder || (foreign_file && !database); }
};
// Of a folder that cannot be listed: nothing.
[[nodiscard]] FolderContents contents_of(const std::string& folder);

// When this file was made, which no copy of it has in common; empty where the file system does not
// say, or there is none. A folder may be moved within its file system, mounted elsewhere and its
// file system be grown: the file stays the same. A snapshot of the whole file system has it, too.
[[nodiscard]] std::string made_at(const std::string& file);

// What tells this folder from any other, of another machine or container, too: made once, kept in
// it. Errors: not_found (there is none, and none is to be made), io, corrupt.
[[nodiscard]] Result<std::string> data_folder_id(const std::string& path, bool make);

}  // namespace todoku::app
