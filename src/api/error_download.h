// SPDX-License-Identifier: Apache-2.0
// An archive on its way to a client: read from the disk in pieces, as the client takes them.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "api/file_places.h"
#include "async/file_pool.h"
#include "http/message.h"
#include "intake/uploads.h"
#include "store/keys.h"

namespace todoku::api {

class ErrorDownload final : public http::BodySource {
 public:
  struct Parts {
    async::FilePool& files;
    store::AccountKey account;
    FilePlaces::Place place;  // has the file open
    std::unique_ptr<intake::Uploads::Reader> reader;
    std::string name;
  };
  explicit ErrorDownload(Parts parts) : parts_(std::move(parts)) {}
  ~ErrorDownload() override;

  [[nodiscard]] Task<Result<std::string_view>> read() override;
  [[nodiscard]] std::optional<std::uint64_t> length() const override {
    return parts_.reader->size();
  }

 private:
  Parts parts_;
  std::string piece_;
};

}  // namespace todoku::api
