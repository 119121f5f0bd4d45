// SPDX-License-Identifier: Apache-2.0
#include "relay/content_keeper.h"

#include <memory>
#include <utility>

#include "base/log.h"

namespace todoku::relay {

using store::WritePriority;
using store::WriteTransaction;

Task<Result<void>> ContentKeeper::put(std::string piece, store::NodeKey node) {
  const auto key = std::make_shared<std::optional<store::RelayedKey>>(key_);
  const std::int64_t which = pieces_;
  const auto shared = std::make_shared<const std::string>(std::move(piece));
  const auto written = co_await store_.write(
      WritePriority::import,
      [key, begun = key_, which, shared, node](WriteTransaction& writer) -> Result<void> {
        auto place = begun;
        if (!place) {
          const auto made = writer.begin_relayed(node);
          if (!made) return fail(made.error());
          place = *made;
        }
        *key = place;
        return writer.add_relayed_piece(*place, which, *shared);
      });
  if (!written) co_return fail(written.error());
  key_ = *key;
  ++pieces_;
  co_return Result<void>();
}

Task<Result<void>> ContentKeeper::take(std::string& octets, store::NodeKey node) {
  octets_ += octets.size();
  std::string_view rest = octets;
  while (waiting_.size() + rest.size() > store::kRelayedPieceOctets) {
    const std::size_t fits = store::kRelayedPieceOctets - waiting_.size();
    waiting_.append(rest.substr(0, fits));
    rest.remove_prefix(fits);
    const auto put_in = co_await put(std::exchange(waiting_, {}), node);
    if (!put_in) co_return put_in;
  }
  waiting_.append(rest);
  octets.clear();
  co_return Result<void>();
}

Task<Result<store::RelayedContent>> ContentKeeper::finish(store::NodeKey node) {
  store::RelayedContent content;
  content.size = octets_;
  if (!key_) {
    content.octets = std::exchange(waiting_, {});
    co_return content;
  }
  if (!waiting_.empty()) {
    const auto put_in = co_await put(std::exchange(waiting_, {}), node);
    if (!put_in) co_return fail(put_in.error());
  }
  content.kept = std::exchange(key_, std::nullopt);
  co_return content;
}

std::optional<store::RelayedKey> ContentKeeper::abandon() {
  waiting_ = {};
  octets_ = 0;
  pieces_ = 0;
  return std::exchange(key_, std::nullopt);
}

Task<void> drop_content(store::Store& store, store::RelayedKey key) {
  const auto dropped =
      co_await store.write(WritePriority::retention,
                           [key](WriteTransaction& writer) { return writer.drop_relayed(key); });
  if (!dropped) {
    log::debug("a message that did not come to its end is removed later",
               {{"reason", dropped.error().detail}});
  }
}

}  // namespace todoku::relay
