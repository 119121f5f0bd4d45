// SPDX-License-Identifier: Apache-2.0
// A list that is being received: its bytes go to the disk as they arrive, and the job that imports
// them is made at the end. Private to api/; for a form (imports.cc) and for a stream
// (list_stream.cc).
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "api/api.h"
#include "async/file_pool.h"
#include "base/digest.h"
#include "base/sha256_stream.h"
#include "intake/list_charset.h"
#include "intake/repeats.h"
#include "intake/uploads.h"
#include "store/imports.h"

namespace todoku::api {

// An upload that is gone again unless a job names it. Nothing here waits for the disk but on the
// pool.
class UploadFile {
 public:
  UploadFile(async::FilePool& pool, intake::Uploads& uploads, store::AccountKey account);
  ~UploadFile();
  UploadFile(const UploadFile&) = delete;
  UploadFile& operator=(const UploadFile&) = delete;

  void gather(std::string_view octets);
  // Before anything is gathered: its digest will be asked for.
  void begin_digest() { digest_.emplace(); }
  [[nodiscard]] Sha256 digest() { return digest_->finish(); }
  // Before anything is gathered: what its Content-Type says of it.
  void name_charset(std::string_view content_type);
  [[nodiscard]] std::string charset_warning(store::ImportForm form) {
    return charset_.warning(form);
  }
  [[nodiscard]] bool wants_writing() const;
  [[nodiscard]] Task<Result<void>> write() {
    return pool_.run(owner_, [this] { return write_here(); });
  }
  // Complete and kept: a job that names it survives power loss together with it.
  [[nodiscard]] Task<Result<void>> finish() {
    return pool_.run(owner_, [this] { return finish_here(); });
  }
  // A job may name it from now on, or none does.
  void set_named(bool named) { named_ = named; }
  [[nodiscard]] const std::string& name() const { return name_; }
  [[nodiscard]] std::uint64_t octets() const { return octets_; }

 private:
  Result<void> write_here();
  Result<void> finish_here();

  async::FilePool& pool_;
  intake::Uploads& uploads_;
  const async::FilePool::Owner owner_;
  std::string name_;
  std::string gathered_;  // and not yet written
  std::optional<Sha256Stream> digest_;
  intake::ListCharset charset_;
  std::unique_ptr<intake::Uploads::Writer> writer_;
  std::uint64_t octets_ = 0;
  bool complete_ = false;
  bool named_ = false;
};

// What a request for an import has before its list: its delivery, and its key, if it has one.
struct ImportCall {
  store::PublicId delivery = 0;
  std::optional<store::IdempotencyKey> key;
  std::optional<intake::Repeats::Place> keyed;
};
// Why there will be none, as far as the head of the request tells; nullopt: its list is wanted.
[[nodiscard]] Task<std::optional<http::Response>> begin_import(Api& api, Call& call,
                                                               ImportCall& import);
// Of options that exclude one another.
void check_import_options(const store::NewImport& request, intake::Problems& problems);
// The answer: {"job_id"}.
[[nodiscard]] Task<http::Response> make_import(Api& api, Call& call, ImportCall& import,
                                               UploadFile& file, store::NewImport request);
// Of a place for a file that there is not.
[[nodiscard]] http::Response too_many_files(const Call& call);

}  // namespace todoku::api
