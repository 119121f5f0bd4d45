// SPDX-License-Identifier: Apache-2.0
#include "api/zip.h"

#include <memory>

#include <fmt/format.h>
#include <zip.h>

namespace todoku::api {
namespace {

std::unexpected<Error> failed(std::string_view what, zip_error_t& error) {
  auto result = fail(ErrorKind::io, fmt::format("{}: {}", what, zip_error_strerror(&error)));
  zip_error_fini(&error);
  return result;
}

}  // namespace

Result<std::string> zip_of(std::string_view content, const std::string& name) {
  zip_error_t error;
  zip_error_init(&error);
  zip_source_t* target = zip_source_buffer_create(nullptr, 0, 0, &error);
  if (target == nullptr) return failed("no buffer for the archive", error);
  zip_source_keep(target);  // ours beyond zip_close()
  const std::unique_ptr<zip_source_t, decltype(&zip_source_free)> owned(target, &zip_source_free);

  zip_t* archive = zip_open_from_source(target, ZIP_TRUNCATE, &error);
  if (archive == nullptr) {
    zip_source_free(target);
    return failed("the archive cannot be begun", error);
  }
  zip_source_t* source = zip_source_buffer(archive, content.data(), content.size(), 0);
  if (source == nullptr || zip_file_add(archive, name.c_str(), source, ZIP_FL_ENC_UTF_8) < 0) {
    if (source != nullptr) zip_source_free(source);
    zip_discard(archive);
    return fail(ErrorKind::io, "the error file cannot be added to the archive");
  }
  if (zip_close(archive) != 0) {
    zip_discard(archive);
    return fail(ErrorKind::io, "the archive cannot be written");
  }
  zip_stat_t size;
  if (zip_source_open(target) != 0 || zip_source_stat(target, &size) != 0) {
    return fail(ErrorKind::io, "the archive cannot be read back");
  }
  std::string octets(size.size, '\0');
  const zip_int64_t got = zip_source_read(target, octets.data(), octets.size());
  zip_source_close(target);
  if (got < 0 || static_cast<std::size_t>(got) != octets.size()) {
    return fail(ErrorKind::io, "the archive cannot be read back");
  }
  return octets;
}

}  // namespace todoku::api
