// SPDX-License-Identifier: Apache-2.0
// Reading Options from TOML. docs/sink.md lists every key.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "sink/options.h"

namespace todoku::sink {

// Errors: invalid_input with line, key and what would be right. `name` stands for the text in
// messages.
[[nodiscard]] Result<Options> parse_options(std::string_view toml, const std::string& name);

// The same from a file. Errors: also not_found.
[[nodiscard]] Result<Options> read_options(const std::string& path);

// "550 5.1.1 No such user": a code of three digits and a text.
[[nodiscard]] Result<Reply> parse_reply(std::string_view text);

// What is wrong with a receiver that was read or put together: contradictions between its keys.
[[nodiscard]] Result<void> check_receiver(const Receiver& receiver);

// The rules that stand behind shorthands, shared with the command line. Delays come before the
// receiver's own rules, closing and failing after them.
[[nodiscard]] Rule delay_rule(Moment at, double seconds);
[[nodiscard]] Rule close_rule(Moment at);
[[nodiscard]] Rule fail_rule(Excuse excuse, double odds);

// Turns an extension's keyword ("PIPELINING") on or off. False: not one of those that can be.
[[nodiscard]] bool set_extension(smtp::ServerOptions& protocol, std::string_view keyword, bool on);

}  // namespace todoku::sink
