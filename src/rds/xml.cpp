// SPDX-License-Identifier: Apache-2.0
#include "rds/xml.hpp"

#include <charconv>

namespace reseal::rds {

std::vector<XmlView> XmlView::members(const char* list, const char* member) const {
  std::vector<XmlView> found;
  for (const auto node : node_.child(list).children(member)) found.emplace_back(node);
  return found;
}

std::vector<std::string> XmlView::texts(const char* list, const char* member) const {
  std::vector<std::string> found;
  for (const auto node : node_.child(list).children(member)) found.emplace_back(node.text().get());
  return found;
}

std::optional<std::string> XmlView::optional_text(const char* name) const {
  auto found = text(name);
  if (found.empty()) return std::nullopt;
  return found;
}

std::optional<std::int64_t> XmlView::number(const char* name) const {
  const auto found = text(name);
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(found.data(), found.data() + found.size(), value);
  if (error != std::errc() || end != found.data() + found.size()) return std::nullopt;
  return value;
}

bool XmlView::flag(const char* name) const { return text(name) == "true"; }

std::vector<std::pair<std::string, std::string>> XmlView::children_texts() const {
  std::vector<std::pair<std::string, std::string>> found;
  for (const auto node : node_.children())
    if (node.type() == pugi::node_element) found.emplace_back(node.name(), node.text().get());
  return found;
}

base::Result<XmlAnswer> XmlAnswer::parse(std::string_view body) {
  if (body.size() > most_bytes) return base::BadInput{"the answer is larger than 8 MiB"};
  XmlAnswer answer;
  const auto parsed = answer.document_->load_buffer(body.data(), body.size(), pugi::parse_default | pugi::parse_doctype,
                                                    pugi::encoding_utf8);
  if (!parsed)
    return base::BadInput{std::string("the answer is no XML: ") + parsed.description() + " at byte " +
                          std::to_string(parsed.offset)};
  for (const auto node : answer.document_->children())
    if (node.type() == pugi::node_doctype) return base::BadInput{"the answer holds a document type"};
  if (answer.document_->document_element().empty()) return base::BadInput{"the answer holds no element"};
  return answer;
}

XmlView XmlAnswer::result() const {
  for (const auto node : document_->document_element().children())
    if (std::string_view(node.name()).ends_with("Result")) return XmlView(node);
  return root();
}

}  // namespace reseal::rds
