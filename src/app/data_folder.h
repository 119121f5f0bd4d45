// SPDX-License-Identifier: Apache-2.0
// The folder of an installation and the store in it, before anything else looks at them.
//
//   folder open to others      closed, if it is ours and holds nothing of others; else refused
//   database there             opened
//   database missing or empty  a new one is made; refused if something tells of an older life
//                              (its log, uploads, an admin socket, a master key), unless a new
//                              store was asked for: it would look as if all mail were gone
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "config/config.h"
#include "store/sqlite/sqlite_store.h"

namespace todoku::app {

// Opens the store of an installation. `begin_new`: a new one may be made in any case; one that is
// there is opened all the same. `ready` is asked before a new one is made, because what is refused
// must not have begun: the next start would find an older life. Errors: unauthorized (others can
// read the folder), not_found (see above), those of `ready` and of SqliteStore::open; the sentence
// says what to do.
[[nodiscard]] Result<std::unique_ptr<store::SqliteStore>> open_store(
    const config::Config& config, const Clock& clock, bool begin_new,
    const std::function<Result<void>()>& ready);

// Makes the folder, or closes it to others.
[[nodiscard]] Result<void> prepare_data_folder(const std::string& path);

// For what open_store() and open_vault() would refuse, each a sentence, as far as the keys are
// known. Changes nothing, and may be asked while an engine runs.
[[nodiscard]] std::vector<std::string> data_problems(const config::Config& config,
                                                     const config::UnknownKeys& unknown = {});

}  // namespace todoku::app
