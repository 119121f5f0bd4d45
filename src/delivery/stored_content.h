// SPDX-License-Identifier: Apache-2.0
// The attachments of one delivery, read from the store a slice at a time.
#pragma once

#include <string>

#include "delivery/content_slices.h"
#include "store/store.h"

namespace todoku::delivery {

class StoredContent final : public ContentSource {
 public:
  // The store outlives it. Its parts are the attachments in their order.
  StoredContent(store::Store& store, store::DeliveryKey delivery)
      : store_(store), delivery_(delivery) {}

  [[nodiscard]] Task<Result<std::string>> read(std::size_t part, std::uint64_t offset,
                                               std::size_t octets) const override;

 private:
  store::Store& store_;
  const store::DeliveryKey delivery_;
};

}  // namespace todoku::delivery
