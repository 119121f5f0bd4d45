// SPDX-License-Identifier: Apache-2.0
#include "delivery/stored_content.h"

namespace todoku::delivery {

Task<Result<std::string>> StoredContent::read(std::size_t part, std::uint64_t offset,
                                              std::size_t octets) const {
  co_return co_await store_.read(
      [key = delivery_, part, offset, octets](store::ReadTransaction& transaction) {
        return transaction.attachment_part(key, part, offset, octets);
      });
}

}  // namespace todoku::delivery
