// SPDX-License-Identifier: Apache-2.0
#include "intake/zip.h"

#include <array>
#include <memory>
#include <string_view>
#include <vector>

#include <fmt/format.h>
#include <zip.h>

namespace todoku::intake {
namespace {

using Source = std::unique_ptr<zip_source_t, decltype(&zip_source_free)>;

std::unexpected<Error> zip_failed(std::string_view what, zip_error_t& error) {
  auto result = fail(ErrorKind::io, fmt::format("{}: {}", what, zip_error_strerror(&error)));
  zip_error_fini(&error);
  return result;
}

// What was made, a piece at a time.
Result<void> copy(zip_source_t* made, Uploads::Writer& into) {
  if (zip_source_open(made) != 0) {
    return fail(ErrorKind::io, "the archive cannot be read back");
  }
  std::array<char, 64 * 1024> octets;
  Result<void> copied;
  while (copied) {
    const zip_int64_t got = zip_source_read(made, octets.data(), octets.size());
    if (got == 0) break;
    if (got < 0) {
      copied = fail(ErrorKind::io, "the archive cannot be read back");
    } else {
      copied = into.write(std::string_view(octets.data(), static_cast<std::size_t>(got)));
    }
  }
  zip_source_close(made);
  return copied;
}

}  // namespace

Result<void> write_zip(std::span<const std::string> pieces, const std::string& name,
                       Uploads::Writer& into) {
  std::vector<zip_buffer_fragment_t> fragments;
  fragments.reserve(pieces.size());
  for (const std::string& piece : pieces) {
    // Only read: libzip is C and has one type for both ways.
    auto* const octets = const_cast<std::string::value_type*>(piece.data());
    fragments.push_back({reinterpret_cast<zip_uint8_t*>(octets), piece.size()});
  }
  zip_error_t error;
  zip_error_init(&error);
  zip_source_t* target = zip_source_buffer_create(nullptr, 0, 0, &error);
  if (target == nullptr) return zip_failed("no buffer for the archive", error);
  zip_source_keep(target);  // ours beyond zip_close()
  const Source owned(target, &zip_source_free);

  zip_t* archive = zip_open_from_source(target, ZIP_TRUNCATE, &error);
  if (archive == nullptr) {
    zip_source_free(target);
    return zip_failed("the archive cannot be begun", error);
  }
  zip_source_t* source = zip_source_buffer_fragment(archive, fragments.data(), fragments.size(), 0);
  if (source == nullptr || zip_file_add(archive, name.c_str(), source, ZIP_FL_ENC_UTF_8) < 0) {
    if (source != nullptr) zip_source_free(source);
    zip_discard(archive);
    return fail(ErrorKind::io, "the error file cannot be added to the archive");
  }
  if (zip_close(archive) != 0) {
    zip_discard(archive);
    return fail(ErrorKind::io, "the archive cannot be written");
  }
  return copy(target, into);
}

}  // namespace todoku::intake
