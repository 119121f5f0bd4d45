// SPDX-License-Identifier: Apache-2.0
#include "app/store_house.h"

#include "app/postgres_house.h"
#include "app/sqlite_house.h"

namespace todoku::app {

std::unique_ptr<StoreHouse> StoreHouse::of(const config::Config& config, const Clock& clock) {
  if (config.store.kind == "postgres") return std::make_unique<PostgresHouse>(config);
  return std::make_unique<SqliteHouse>(config, clock);
}

}  // namespace todoku::app
