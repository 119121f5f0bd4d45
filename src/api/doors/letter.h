// SPDX-License-Identifier: Apache-2.0
// A mail as a door reads it, and what all doors read in the same way.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include <boost/json/object.hpp>
#include <boost/json/value.hpp>

#include "intake/limits.h"
#include "intake/problem.h"
#include "intake/request.h"

namespace todoku::api::doors {

using Path = std::vector<std::string>;

// Which of the mails of a request it is, and what it has beside that of all of them: SendGrid's
// personalizations.
struct Origin {
  std::size_t place = 0;
  std::vector<std::string> own = {};  // "subject", "headers.X-Order", as the service names them
};

struct Letter {
  intake::TransactionRequest request;
  intake::Problems problems;
  // Recipients came with names: the header shows their addresses alone.
  bool has_names = false;
  Origin origin = {};
};

// Who a mail goes to, before it is divided into the request's fields.
struct Recipients {
  std::vector<std::string> to;
  std::vector<std::string> cc;
  std::vector<std::string> bcc;
};
// The first of `to` is the request's, the others go along with it.
void address(Letter& letter, Recipients recipients);

// "Name <address>", or an address alone; a problem is added where it is neither, or not one.
[[nodiscard]] Mailbox read_mailbox(std::string_view text, const Path& path,
                                   intake::Problems& problems);
// Addresses of `text`, which may be several with commas between them.
[[nodiscard]] std::vector<std::string> read_addresses(std::string_view text, const Path& path,
                                                      Letter& letter);
// Of an answer's address there is one.
void set_reply_to(Letter& letter, const std::vector<Mailbox>& mailboxes, const Path& path);

// A header field of the sender's. List-Unsubscribe and List-Unsubscribe-Post become what the
// content has for them (RFC 2369, RFC 8058).
void add_header(Letter& letter, std::string_view name, std::string_view value, const Path& path);

// The template that a mail names, by its name or its id; empty: none.
void set_template(Letter& letter, std::string_view name);
// What a template puts in (intake/from_template.h). Later values of a name take the place of
// earlier ones.
void add_data(Letter& letter, const boost::json::object& data, const Path& path,
              const intake::Limits& limits);

// A tag "name:value", or one word. Beyond kTagsMax intake refuses.
void add_tag(Letter& letter, std::string_view name, std::string_view value = {});

// A member of what comes back with events; one that was there has the new value. Beyond the limits
// of mail/attached.h intake refuses.
void add_metadata(Letter& letter, std::string_view name, std::string_view value);

struct File {
  std::string name;
  std::string type;
  std::string base64;
  std::string content_id;  // with or without brackets and "cid:"; empty: an attachment
};
// A file without content is refused. What is more than the limit of all files is not decoded, and
// intake refuses it.
void add_file(Letter& letter, File file, const intake::Limits& limits, const Path& path);

// How the service wants a file to be shown.
struct Disposition {
  std::string_view given;  // empty: attached
  Path path;
  std::string_view attached;  // the service's words, in any case of letters
  std::string_view is_inline;
};
// The content id of a file, under which the mail's HTML may show it; empty: it is attached. That is
// of one that is to be shown inline, which has to have one, and of one that is to be attached where
// the HTML, which was read before, refers to it all the same: mail programs show it then.
[[nodiscard]] std::string shown_id(Letter& letter, const Disposition& disposition, std::string id,
                                   const Path& id_path);

// Octets of a text of so many characters, at most: what is put into texts is bounded by it, and
// intake counts the characters.
[[nodiscard]] constexpr std::size_t octets_of(std::size_t characters) {
  constexpr std::size_t kOctetsOfCharacter = 4;  // RFC 3629 section 3
  return kOctetsOfCharacter * characters;
}

// "to[0].email" -> "to.0.email"
[[nodiscard]] std::string joined(const Path& path);

}  // namespace todoku::api::doors
