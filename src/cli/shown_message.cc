// SPDX-License-Identifier: Apache-2.0
#include "cli/shown_message.h"

#include <cerrno>

#include <fmt/ostream.h>
#include <unistd.h>

#include "cli/user_files.h"

namespace todoku::cli {
namespace {

// Octet for octet; on a terminal as a text, which a mail must not steer.
Result<void> write_out(Session& session, std::string_view message) {
  session.out().flush();
  if (::isatty(STDOUT_FILENO) == 1) {
    std::string shown(message);
    std::erase(shown, '\r');
    session.out() << shown;
    return {};
  }
  while (!message.empty()) {
    const ssize_t written = ::write(STDOUT_FILENO, message.data(), message.size());
    if (written < 0 && errno != EINTR) return fail(ErrorKind::io, "--eml -: cannot be written");
    if (written > 0) message.remove_prefix(static_cast<std::size_t>(written));
  }
  return {};
}

}  // namespace

Result<void> put_message(Session& session, const std::string& file, std::string_view message) {
  if (file == "-") return write_out(session, message);
  return replace_file(file, std::string(message), FileFor::its_user);
}

void print_part(Session& session, const Sentence& title, std::string_view text) {
  if (text.empty()) return;
  fmt::print(session.out(), "\n--- {}\n{}{}", session.words(title), text,
             text.ends_with('\n') ? "" : "\n");
}

}  // namespace todoku::cli
