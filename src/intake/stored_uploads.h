// SPDX-License-Identifier: Apache-2.0
// Uploads in the store (store/uploads.h), where every process finds them that shares it: a list is
// received by one and may be imported by another. A piece at a time is in memory.
#pragma once

#include <functional>
#include <memory>
#include <string_view>

#include "intake/uploads.h"
#include "store/store.h"

namespace todoku::intake {

// Members wait for the store, as those of FolderUploads do for the disk. Errors besides: those of
// the store; unavailable, too, where an upload in the making was given up for dead.
class StoredUploads final : public Uploads {
 public:
  using NodeOf = std::function<store::NodeKey()>;

  // `store` must outlive it and its writers. `node`: of this process.
  StoredUploads(store::Store& store, NodeOf node) : store_(store), node_(std::move(node)) {}

  [[nodiscard]] Result<std::unique_ptr<Reader>> open(std::string_view name) override;
  [[nodiscard]] Result<std::unique_ptr<Writer>> create(std::string_view name) override;
  void remove(std::string_view name) override;
  // Nothing is left to do: the store knows which are named, and removes the others by itself.
  [[nodiscard]] Result<std::size_t> sweep(const IsNamed& is_named) override;

 private:
  store::Store& store_;
  const NodeOf node_;
};

}  // namespace todoku::intake
