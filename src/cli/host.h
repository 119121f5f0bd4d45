// SPDX-License-Identifier: Apache-2.0
// What the command line asks of the program around it: the verbs that need the whole engine.
// Implemented by app/.
#pragma once

#include <memory>
#include <optional>
#include <ostream>
#include <string>
#include <vector>

#include "base/bilingual.h"
#include "base/result.h"
#include "cli/admin_port.h"

namespace todoku::cli {

struct ServeOptions {
  std::optional<std::string> config;
  std::vector<std::string> roles;  // empty: as configured
  bool begin_new = false;          // a new store, whatever is left of an older one
};

struct ConfigShowOptions {
  std::optional<std::string> config;
  bool defaults = false;
  bool sites = false;
  Language language = Language::english;
};

// How the operations of an installation are asked for.
struct AdminWish {
  bool begin_new = false;                 // as in ServeOptions
  bool may_begin = false;                 // a store, where there is none; who only looks must not
  Language language = Language::english;  // of what is said
};

// The functions that return int give the exit status of the process.
class Host {
 public:
  virtual ~Host() = default;
  virtual int serve(const ServeOptions& options) = 0;
  virtual int check_config(const std::optional<std::string>& file, Language language) = 0;
  virtual int show_config(const ConfigShowOptions& options) = 0;
  virtual std::string config_reference() = 0;
  // `arguments` are what followed `sink`.
  virtual int sink(const std::vector<std::string>& arguments) = 0;
  // Errors: a sentence that says what to do.
  virtual Result<std::unique_ptr<AdminPort>> admin(const std::optional<std::string>& config,
                                                   const AdminWish& wish) = 0;
  virtual std::string version() = 0;
  // That the environment asks for.
  [[nodiscard]] virtual Language language() const = 0;
};

}  // namespace todoku::cli
