// SPDX-License-Identifier: Apache-2.0
// Reads the members of a JSON request with the tolerance that the contract's clients need
// (blastengine-api.md section 6.14), and names every member of a wrong type.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <boost/json/object.hpp>

#include "base/clock.h"
#include "intake/check.h"
#include "intake/problem.h"
#include "intake/request.h"

namespace todoku::api {

// The members of one object; absent and null are the same.
class Fields {
 public:
  Fields(const boost::json::object& object, intake::Path path, intake::Problems& problems)
      : object_(object), path_(std::move(path)), problems_(problems) {}

  // nullopt if absent, null or of a wrong type (then a problem was added).
  [[nodiscard]] std::optional<std::string> text(std::string_view name) const;
  // A JSON boolean or the strings "true" and "false".
  [[nodiscard]] std::optional<bool> truth(std::string_view name) const;
  [[nodiscard]] const boost::json::object* object(std::string_view name) const;
  [[nodiscard]] const boost::json::array* array(std::string_view name) const;
  // As above; of more than `max` elements none is looked at (and a problem was added).
  [[nodiscard]] const boost::json::array* array(std::string_view name, std::size_t max) const;
  [[nodiscard]] std::vector<std::string> texts(std::string_view name, std::size_t max) const;

  // The members of the object `name`; nullopt as for the others.
  [[nodiscard]] std::optional<Fields> fields(std::string_view name) const;

  // {email, name?}
  [[nodiscard]] std::optional<Mailbox> mailbox(std::string_view name) const;
  // A string, or a number or a boolean as its text, as it was written: clients put them in as
  // insert codes.
  [[nodiscard]] std::optional<std::string> scalar(std::string_view name) const;
  // [{key, value}]
  [[nodiscard]] std::vector<InsertCode> insert_codes(std::size_t max) const;
  [[nodiscard]] std::optional<Encoding> encoding() const;
  // {name: value}; nullopt if it was not given.
  [[nodiscard]] std::optional<std::vector<ExtraHeader>> headers(std::size_t max) const;
  // nullopt if absent, or none (then a problem was added).
  [[nodiscard]] std::optional<Instant> date(std::string_view name) const;
  // A whole number of seconds, as a number or as its text.
  [[nodiscard]] std::optional<Milliseconds> seconds(std::string_view name) const;
  // Adds a problem where it is an empty text: of members that old clients do not know, it is the
  // variable of a template that had no value, and not "none".
  void refuse_empty(std::string_view name) const;
  // Of `duplicate_policy`: a mail of which nobody knows whether it arrived is not sent again.
  [[nodiscard]] std::optional<bool> at_most_once() const;
  // tags, list_id, purpose
  [[nodiscard]] intake::LabelsRequest labels() const;
  // html or none.
  [[nodiscard]] std::optional<Escape> escape() const;
  // template, its name or its id, with template_version. `escape`: what is given of it.
  [[nodiscard]] std::optional<intake::TemplateRequest> from_template(
      std::optional<Escape> escape) const;
  // insert_code, and the values of data as codes in braces (intake/from_template.h).
  [[nodiscard]] std::vector<InsertCode> codes_and_data(std::size_t max) const;
  // reference, a string or a number; metadata, {name: string}
  [[nodiscard]] Attached attached() const;
  // {email, insert_code?, data?, reference?, metadata?}
  [[nodiscard]] intake::RecipientRequest recipient(std::size_t codes_max) const;

  [[nodiscard]] bool is_given(std::string_view name) const { return find(name) != nullptr; }
  [[nodiscard]] intake::Problems& problems() const { return problems_; }
  [[nodiscard]] intake::Path path_to(std::string_view name) const;
  void wrong_type(std::string_view name, std::string_view en, std::string_view ja) const;

 private:
  [[nodiscard]] const boost::json::value* find(std::string_view name) const;

  const boost::json::object& object_;
  intake::Path path_;
  intake::Problems& problems_;
};

// from, reply_to, subject, list_unsubscribe, headers, encode, text_part, html_part.
[[nodiscard]] Content read_content(const Fields& fields);

}  // namespace todoku::api
