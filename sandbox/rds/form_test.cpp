// SPDX-License-Identifier: Apache-2.0
#include "sandbox/rds/form.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "sandbox/rds/api_error.hpp"
#include "sandbox/rds/listing.hpp"

namespace reseal::sandbox::rds {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

TEST(FormTest, decodes_names_and_values) {
  const auto form = Form::parse("Action=Do&Text=a+b%2Fc%e2%82%AC&Empty=&Bare&&Last=%3D");
  EXPECT_EQ(form.text("Action"), "Do");
  EXPECT_EQ(form.text("Text"), "a b/c\xe2\x82\xac");
  EXPECT_EQ(form.find("Empty"), "");
  EXPECT_EQ(form.find("Bare"), "");
  EXPECT_EQ(form.text("Last"), "=");
  EXPECT_EQ(form.find("Absent"), std::nullopt);
}

TEST(FormTest, refuses_a_percent_sign_without_a_byte) {
  for (const auto* body : {"a=%", "a=%4", "a=%zz", "a=%4g", "%=1"}) EXPECT_THROW(Form::parse(body), ApiError) << body;
}

TEST(FormTest, reads_lists_by_their_own_name_and_by_member) {
  const auto form = Form::parse(
      "Ids.Id.1=a&Ids.Id.2=b&Ids.Id.4=gap&Logs.member.1=error&Tags.Tag.1.Key=k&Tags.Tag.1.Value=v&Tags.Tag.10.Key=no");
  EXPECT_THAT(form.list("Ids", "Id"), ElementsAre("a", "b"));
  EXPECT_THAT(form.list("Logs", "Log"), ElementsAre("error"));
  EXPECT_THAT(form.list("None", "None"), IsEmpty());
  const auto tags = form.structures("Tags", "Tag");
  ASSERT_EQ(tags.size(), 1U);
  EXPECT_EQ(tags[0].text("Key"), "k");
  EXPECT_EQ(tags[0].text("Value"), "v");
}

TEST(FormTest, checks_flags_numbers_and_what_must_be_there) {
  const auto form = Form::parse("Yes=True&No=false&Odd=1&Number=12&Text=12x&Empty=");
  EXPECT_TRUE(form.flag("Yes", false));
  EXPECT_FALSE(form.flag("No", true));
  EXPECT_TRUE(form.flag("Absent", true));
  EXPECT_THROW(form.flag("Odd", true), ApiError);
  EXPECT_EQ(form.number("Number", 0), 12);
  EXPECT_EQ(form.number("Absent", 7), 7);
  EXPECT_THROW(form.number("Text", 0), ApiError);
  EXPECT_THROW(form.required("Empty"), ApiError);
  EXPECT_THROW(form.required("Absent"), ApiError);
}

TEST(ListingTest, pages_without_losing_or_doubling_an_element) {
  std::vector<std::string> keys;
  for (int i = 100; i < 150; ++i) keys.push_back("k" + std::to_string(i));
  std::vector<std::string> seen;
  Form form;
  form.set("MaxRecords", "20");
  for (int pages = 0; pages < 10; ++pages) {
    const auto page = page_of(keys, form);
    for (auto i = page.begin; i < page.end; ++i) seen.push_back(keys[i]);
    if (page.marker.empty()) break;
    form.set("Marker", page.marker);
  }
  EXPECT_EQ(seen, keys);
}

TEST(ListingTest, goes_on_behind_a_marker_whose_element_is_gone) {
  Form form;
  form.set("Marker", "b");
  const auto page = page_of({"a", "c", "d"}, form);
  EXPECT_EQ(page.begin, 1U);
  EXPECT_EQ(page.end, 3U);
}

TEST(ListingTest, refuses_page_sizes_that_rds_refuses) {
  for (const auto* size : {"19", "101", "0", "-1", "x"}) {
    Form form;
    form.set("MaxRecords", size);
    EXPECT_THROW(page_of({}, form), ApiError) << size;
  }
}

TEST(ListingTest, passes_any_value_of_a_filter_and_every_filter) {
  const std::map<std::string, std::vector<std::string>> element = {{"engine", {"mysql"}}, {"id", {"a", "arn:a"}}};
  const auto passes = [&](const char* body) { return passes_filters(Form::parse(body), element); };
  EXPECT_TRUE(passes(""));
  EXPECT_TRUE(
      passes("Filters.Filter.1.Name=id&Filters.Filter.1.Values.Value.1=b&Filters.Filter.1.Values.Value.2=arn:a"));
  EXPECT_FALSE(passes("Filters.Filter.1.Name=id&Filters.Filter.1.Values.Value.1=b"));
  EXPECT_FALSE(
      passes("Filters.Filter.1.Name=id&Filters.Filter.1.Values.Value.1=a&Filters.Filter.2.Name=engine&"
             "Filters.Filter.2.Values.Value.1=postgres"));
  EXPECT_THROW(passes("Filters.Filter.1.Name=colour&Filters.Filter.1.Values.Value.1=a"), ApiError);
}

}  // namespace
}  // namespace reseal::sandbox::rds
