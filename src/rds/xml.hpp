// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <optional>
#include <pugixml.hpp>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.hpp"

namespace reseal::rds {

/// An element of an answer. Does not own: valid while its XmlAnswer lives. An element that is absent reads as empty.
class XmlView {
 public:
  XmlView() = default;
  explicit XmlView(pugi::xml_node node) : node_(node) {}

  bool present() const { return !node_.empty(); }
  std::string_view name() const { return node_.name(); }
  XmlView child(const char* name) const { return XmlView(node_.child(name)); }
  /// All members of the list element `list`: <DBSnapshots><DBSnapshot/>…
  std::vector<XmlView> members(const char* list, const char* member) const;
  std::vector<std::string> texts(const char* list, const char* member) const;

  std::string text(const char* name) const { return node_.child(name).text().get(); }
  std::optional<std::string> optional_text(const char* name) const;
  /// Nothing when the element is absent or holds no whole number that fits.
  std::optional<std::int64_t> number(const char* name) const;
  bool flag(const char* name) const;
  /// The child elements: name -> text, which is empty for one that has elements of its own.
  std::vector<std::pair<std::string, std::string>> children_texts() const;

 private:
  pugi::xml_node node_;
};

/// A parsed answer; owns its memory. Move-only.
class XmlAnswer {
 public:
  /// Largest answer that is read, in bytes.
  static constexpr std::size_t most_bytes = 8U << 20U;

  /// Hostile input: too large, not well-formed, with a document type (no service sends one; entities are never
  /// expanded) or without a root element is bad input.
  static base::Result<XmlAnswer> parse(std::string_view body);

  XmlView root() const { return XmlView(document_->document_element()); }
  /// <ActionResult> within <ActionResponse>; the response itself for actions without a result element.
  XmlView result() const;
  std::string request_id() const { return root().child("ResponseMetadata").text("RequestId"); }

 private:
  std::unique_ptr<pugi::xml_document> document_ = std::make_unique<pugi::xml_document>();
};

}  // namespace reseal::rds
