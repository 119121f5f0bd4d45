// SPDX-License-Identifier: Apache-2.0
#include "api/doors/failures.h"

#include <algorithm>
#include <array>
#include <span>
#include <utility>

#include <fmt/format.h>

#include "base/printable.h"
#include "http/json.h"

namespace todoku::api::doors {
namespace {

// Its status, and its code: a number of Postmark's, a name of Resend's.
struct Code {
  int status = 0;
  int number = 0;
  std::string_view name = {};
};

Code of_resend(Trouble trouble) {
  switch (trouble) {
    case Trouble::invalid:
    case Trouble::no_template:
    case Trouble::no_stream:
    case Trouble::too_many_mails:
      return {422, 0, "validation_error"};
    case Trouble::missing:
      return {422, 0, "missing_required_field"};
    case Trouble::sender:
    case Trouble::suspended:
      return {403, 0, "validation_error"};
    case Trouble::unreadable:
      return {400, 0, "validation_error"};
    case Trouble::no_credential:
      return {401, 0, "missing_api_key"};
    case Trouble::wrong_credential:
    case Trouble::bad_signature:
    case Trouble::incomplete_signature:
      return {403, 0, "invalid_api_key"};
    case Trouble::lacks_scope:
      return {401, 0, "restricted_api_key"};
    case Trouble::not_found:
      return {404, 0, "not_found"};
    case Trouble::method:
      return {405, 0, "method_not_allowed"};
    case Trouble::too_large:
      return {413, 0, "validation_error"};
    case Trouble::media_type:
      return {415, 0, "validation_error"};
    case Trouble::too_often:
      return {429, 0, "rate_limit_exceeded"};
    case Trouble::key_invalid:
      return {400, 0, "invalid_idempotency_key"};
    case Trouble::key_of_other:
      return {409, 0, "invalid_idempotent_request"};
    case Trouble::key_in_progress:
      return {409, 0, "concurrent_idempotent_requests"};
    case Trouble::unavailable:
      return {503, 0, "application_error"};
    case Trouble::failed:
      return {500, 0, "internal_server_error"};
  }
  return {500, 0, "internal_server_error"};
}

Code of_postmark(Trouble trouble) {
  constexpr int kUnprocessable = 422;
  switch (trouble) {
    case Trouble::invalid:
    case Trouble::missing:
    case Trouble::key_invalid:
    case Trouble::key_of_other:
      return {kUnprocessable, 300};
    case Trouble::sender:
      return {kUnprocessable, 400};
    case Trouble::no_template:
      return {kUnprocessable, 1101};
    case Trouble::no_stream:
      return {kUnprocessable, 1235};
    case Trouble::too_many_mails:
      return {kUnprocessable, 410};
    case Trouble::unreadable:
      return {kUnprocessable, 402};
    case Trouble::no_credential:
    case Trouble::wrong_credential:
    case Trouble::bad_signature:
    case Trouble::incomplete_signature:
    case Trouble::lacks_scope:
      return {401, 10};
    case Trouble::suspended:
      return {kUnprocessable, 405};
    case Trouble::not_found:
      return {404, 404};
    case Trouble::method:
      return {405, 405};
    case Trouble::too_large:
      return {413, 413};
    case Trouble::media_type:
      return {kUnprocessable, 409};
    case Trouble::too_often:
      return {429, 429};
    case Trouble::key_in_progress:
    case Trouble::unavailable:
      return {503, 503};
    case Trouble::failed:
      return {500, 500};
  }
  return {500, 500};
}

Code of_sendgrid(Trouble trouble) {
  switch (trouble) {
    case Trouble::invalid:
    case Trouble::missing:
    case Trouble::no_template:
    case Trouble::no_stream:
    case Trouble::too_many_mails:
    case Trouble::unreadable:
    case Trouble::key_invalid:
      return {400};
    case Trouble::no_credential:
    case Trouble::wrong_credential:
    case Trouble::bad_signature:
    case Trouble::incomplete_signature:
      return {401};
    case Trouble::sender:
    case Trouble::suspended:
    case Trouble::lacks_scope:
      return {403};
    case Trouble::not_found:
      return {404};
    case Trouble::method:
      return {405};
    case Trouble::too_large:
      return {413};
    case Trouble::media_type:
      return {415};
    case Trouble::too_often:
      return {429};
    case Trouble::key_of_other:
    case Trouble::key_in_progress:
      return {409};
    case Trouble::unavailable:
      return {503};
    case Trouble::failed:
      return {500};
  }
  return {500};
}

Code of_ses(Trouble trouble) {
  switch (trouble) {
    case Trouble::invalid:
    case Trouble::missing:
    case Trouble::too_many_mails:
    case Trouble::key_invalid:
    case Trouble::key_of_other:
      return {400, 0, "BadRequestException"};
    case Trouble::sender:
      return {400, 0, "MessageRejected"};
    case Trouble::no_template:
    case Trouble::no_stream:
      return {404, 0, "NotFoundException"};
    case Trouble::unreadable:
      return {400, 0, "SerializationException"};
    case Trouble::no_credential:
      return {403, 0, "MissingAuthenticationTokenException"};
    case Trouble::wrong_credential:
      return {403, 0, "UnrecognizedClientException"};
    case Trouble::bad_signature:
      return {403, 0, "InvalidSignatureException"};
    case Trouble::incomplete_signature:
      return {403, 0, "IncompleteSignatureException"};
    case Trouble::lacks_scope:
      return {403, 0, "AccessDeniedException"};
    case Trouble::suspended:
      return {400, 0, "AccountSuspendedException"};
    case Trouble::not_found:
      return {404, 0, "UnknownOperationException"};
    case Trouble::method:
      return {405, 0, "UnknownOperationException"};
    case Trouble::too_large:
      return {413, 0, "RequestEntityTooLargeException"};
    case Trouble::media_type:
      return {415, 0, "SerializationException"};
    case Trouble::too_often:
      return {429, 0, "TooManyRequestsException"};
    case Trouble::key_in_progress:
      return {409, 0, "ConflictException"};
    case Trouble::unavailable:
      return {503, 0, "ServiceUnavailableException"};
    case Trouble::failed:
      return {500, 0, "InternalServiceErrorException"};
  }
  return {500, 0, "InternalServiceErrorException"};
}

Code code_of(Service service, Trouble trouble) {
  switch (service) {
    case Service::resend:
      return of_resend(trouble);
    case Service::postmark:
      return of_postmark(trouble);
    case Service::sendgrid:
      return of_sendgrid(trouble);
    case Service::ses:
      return of_ses(trouble);
  }
  return {500};
}

// What the service says whatever the reason is; empty: the reason.
std::string_view fixed_text(Service service, Trouble trouble) {
  const bool credential = trouble == Trouble::wrong_credential;
  switch (service) {
    case Service::resend:
      if (credential) return "API key is invalid";
      return trouble == Trouble::no_credential ? "Missing API Key" : "";
    case Service::postmark:
      if (credential || trouble == Trouble::no_credential) {
        return "Request does not contain a valid Server token.";
      }
      return trouble == Trouble::no_template
                 ? "The 'TemplateId' associated with this request is not valid or was not found."
                 : "";
    case Service::sendgrid:
      if (credential || trouble == Trouble::no_credential) {
        return "The provided authorization grant is invalid, expired, or revoked";
      }
      if (trouble == Trouble::lacks_scope) return "access forbidden";
      return trouble == Trouble::too_often ? "too many requests" : "";
    case Service::ses:
      if (credential) return "The security token included in the request is invalid.";
      return trouble == Trouble::no_credential ? "Missing Authentication Token" : "";
  }
  return "";
}

// What intake calls a field, and what a service does.
struct Named {
  std::string_view ours;
  std::array<std::string_view, 4> theirs;  // in the order of Service
};
constexpr std::array kNames{
    Named{"to", {"to", "To", "to", "Destination.ToAddresses"}},
    Named{"cc", {"cc", "Cc", "cc", "Destination.CcAddresses"}},
    Named{"bcc", {"bcc", "Bcc", "bcc", "Destination.BccAddresses"}},
    Named{"from", {"from", "From", "from", "FromEmailAddress"}},
    Named{"reply_to", {"reply_to", "ReplyTo", "reply_to", "ReplyToAddresses"}},
    Named{"subject", {"subject", "Subject", "subject", "Subject"}},
    Named{"text_part", {"text", "TextBody", "content", "Body.Text"}},
    Named{"html_part", {"html", "HtmlBody", "content", "Body.Html"}},
    Named{"headers", {"headers", "Headers", "headers", "Headers"}},
    Named{"file", {"attachments", "Attachments", "attachments", "Attachments"}},
    Named{"inline_parts", {"attachments", "Attachments", "attachments", "Attachments"}},
    Named{"list_unsubscribe", {"headers", "Headers", "headers", "Headers"}},
    Named{"RCPT", {"to", "To", "to", "Destination"}},
    Named{"Sender", {"headers", "Headers", "headers", "Content.Raw.Data"}},
    Named{"send_at", {"scheduled_at", "", "send_at", ""}},
    Named{"tags", {"tags", "Tag", "categories", "EmailTags"}},
    Named{"metadata", {"", "Metadata", "custom_args", ""}},
    Named{"template", {"template", "TemplateId", "template_id", "TemplateName"}},
    // Codes of other forms, which nothing of the service's has a value for.
    Named{"insert_code",
          {"template.variables", "TemplateModel", "dynamic_template_data", "TemplateData"}},
    Named{"data",
          {"template.variables", "TemplateModel", "dynamic_template_data", "TemplateData"}}};

// Of SendGrid's: whether it is of one personalization, which alone has recipients and data, or of
// the whole. `path` as the service names it.
bool is_personalized(const Path& path, const Origin& origin) {
  const std::string& name = path.front();
  if (name == "to" || name == "cc" || name == "bcc" || name == "dynamic_template_data") return true;
  const auto is_own = [&](const std::string& member) {
    return std::ranges::find(origin.own, member) != origin.own.end();
  };
  return is_own(name) || (path.size() > 1 && is_own(name + "." + path[1]));
}

Trouble trouble_of(const intake::Refusal& refusal) {
  using Key = intake::Refusal::Key;
  if (refusal.retry_after) return Trouble::too_often;
  if (refusal.key == Key::other_request) return Trouble::key_of_other;
  if (refusal.key == Key::in_progress) return Trouble::key_in_progress;
  switch (refusal.kind) {
    case ErrorKind::invalid_input:
    case ErrorKind::conflict:
    case ErrorKind::limit_exceeded:
    case ErrorKind::not_found:
      return Trouble::invalid;
    case ErrorKind::unauthorized:
      return Trouble::suspended;
    case ErrorKind::unavailable:
    case ErrorKind::timeout:
    case ErrorKind::closed:
    case ErrorKind::io:
    case ErrorKind::corrupt:
    case ErrorKind::unsupported:
    case ErrorKind::cancelled:
      return Trouble::unavailable;
  }
  return Trouble::unavailable;
}

// By which a client of the service says that it repeats a call.
std::string_view key_header(Service service) {
  switch (service) {
    case Service::ses:
      return "amz-sdk-invocation-id";
    case Service::resend:
    case Service::postmark:
    case Service::sendgrid:
      break;
  }
  return "Idempotency-Key";
}

void write(http::JsonWriter& json, Service service, const Failure& failure, const Code& code) {
  const std::string_view fixed = fixed_text(service, failure.trouble);
  const std::string text = printable(fixed.empty() ? std::string_view(failure.text) : fixed);
  json.begin_object();
  switch (service) {
    case Service::resend:
      json.member("statusCode", code.status);
      json.member("name", code.name);
      json.member("message", text);
      break;
    case Service::postmark:
      json.member("ErrorCode", code.number);
      json.member("Message", text);
      break;
    case Service::sendgrid:
      json.key("errors");
      json.begin_array();
      json.begin_object();
      json.member("message", text);
      if (failure.field.empty()) {
        json.null_member("field");
      } else {
        json.member("field", printable(failure.field));
      }
      json.null_member("help");
      json.end_object();
      json.end_array();
      break;
    case Service::ses:
      json.member("message", text);
      break;
  }
  json.end_object();
}

}  // namespace

std::string field_of(Service service, Path path, const Origin& origin) {
  if (path.empty()) return {};
  for (const Named& named : kNames) {
    if (path.front() != named.ours) continue;
    path.front() = named.theirs[static_cast<std::size_t>(service)];
    if (service == Service::sendgrid && is_personalized(path, origin)) {
      path.insert(path.begin(), {"personalizations", std::to_string(origin.place)});
    }
    break;
  }
  // Theirs is one text where ours is an object.
  if (service != Service::sendgrid && path.size() > 1 && path[1] == "email") path.resize(1);
  return joined(path);
}

int status_of(Service service, Trouble trouble) {
  return code_of(service, trouble).status;
}

std::string failure_body(Service service, const Failure& failure) {
  http::JsonWriter json;
  write(json, service, failure, code_of(service, failure.trouble));
  return json.take();
}

http::Response failure(Service service, const Failure& failure) {
  const Code code = code_of(service, failure.trouble);
  auto response = http::Response::json(code.status, failure_body(service, failure));
  if (service == Service::ses) response.headers.set("x-amzn-ErrorType", code.name);
  return response;
}

Trouble trouble_of_status(int status) {
  switch (status) {
    case 401:
      return Trouble::wrong_credential;
    case 403:
      return Trouble::lacks_scope;
    case 404:
      return Trouble::not_found;
    case 405:
      return Trouble::method;
    case 413:
      return Trouble::too_large;
    case 415:
      return Trouble::media_type;
    case 423:
      return Trouble::suspended;
    case 429:
      return Trouble::too_often;
    case 408:
    case 503:
      return Trouble::unavailable;
    default:
      return status >= 500 ? Trouble::failed : Trouble::unreadable;
  }
}

Failure failure_of(Service service, const intake::Problems& problems, Language language,
                   const Origin& origin) {
  Failure failure{.trouble = Trouble::invalid, .text = {}};
  std::size_t told = 0;
  for (const intake::Problem& problem : problems.list()) {
    constexpr std::size_t kTold = 10;
    if (told++ == kTold) break;
    const std::string field = field_of(service, problem.path, origin);
    if (told == 1) {
      failure.field = field;
      const bool is_required = problem.text == intake::texts::required();
      if (is_required) failure.trouble = Trouble::missing;
      // Intake has none of this name.
      if (problem.path == Path{"template"}) failure.trouble = Trouble::no_template;
    } else {
      failure.text += ' ';
    }
    failure.text += field.empty() ? std::string(problem.text.in(language))
                                  : fmt::format("{}: {}", field, problem.text.in(language));
  }
  return failure;
}

Failure failure_of(Service service, const intake::Refusal& refusal, Language language,
                   const Origin& origin) {
  Failure failure = failure_of(service, refusal.problems, language, origin);
  const Trouble trouble = trouble_of(refusal);
  const bool is_of_key = trouble == Trouble::key_of_other || trouble == Trouble::key_in_progress;
  if (is_of_key) {
    failure.field = key_header(service);
    failure.text = fmt::format("{}: {}", failure.field, failure.text);
  }
  if (trouble != Trouble::invalid) failure.trouble = trouble;
  return failure;
}

}  // namespace todoku::api::doors
