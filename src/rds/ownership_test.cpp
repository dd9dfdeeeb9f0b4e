// SPDX-License-Identifier: Apache-2.0
#include "rds/ownership.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "rds/connection_for_tests.hpp"

namespace reseal::rds {
namespace {

using base::Failure;
using base::FailureKind;
using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

const std::string run = "0f8c2d4e-1111-4222-8333-444455556666";

/// Snapshots by name on the other side of a real connection: takes, shows and deletes them, and goes wrong on demand.
struct Shelf {
  std::map<std::string, Tags> snapshots;
  int unseen_looks = 0;      ///< so many looks do not show what is there yet
  int lose_before = 0;       ///< so many creates are cut off before they were carried out
  int lose_after = 0;        ///< and so many after
  bool delete_lost = false;  ///< the first delete is carried out and its answer lost

  static std::string xml(const std::string& name, const Tags& tags, const std::string& status) {
    std::string out =
        "<DBSnapshot><DBSnapshotIdentifier>" + name + "</DBSnapshotIdentifier><Status>" + status + "</Status><TagList>";
    for (const auto& [key, value] : tags) out += "<Tag><Key>" + key + "</Key><Value>" + value + "</Value></Tag>";
    return out + "</TagList></DBSnapshot>";
  }

  Reply answer(const ReceivedRequest& request) {
    const auto action = request.field("Action");
    const auto name = request.field("DBSnapshotIdentifier");
    if (action == "DescribeDBSnapshots") {
      const bool hidden = !snapshots.empty() && unseen_looks > 0 && unseen_looks-- > 0;
      if (!snapshots.contains(name) || hidden) return {404, error_xml("DBSnapshotNotFound"), false, {}};
      return {200,
              result_xml(action, "<DBSnapshots>" + xml(name, snapshots[name], "available") + "</DBSnapshots>"),
              false,
              {}};
    }
    if (action == "CreateDBSnapshot") {
      if (lose_before > 0 && lose_before-- > 0) return {200, "", true, {}};
      if (snapshots.contains(name)) return {400, error_xml("DBSnapshotAlreadyExists"), false, {}};
      for (int i = 1; !request.field("Tags.Tag." + std::to_string(i) + ".Key").empty(); ++i)
        snapshots[name][request.field("Tags.Tag." + std::to_string(i) + ".Key")] =
            request.field("Tags.Tag." + std::to_string(i) + ".Value");
      if (lose_after > 0 && lose_after-- > 0) return {200, "", true, {}};
      return {200, result_xml(action, xml(name, snapshots[name], "creating")), false, {}};
    }
    if (!snapshots.contains(name)) return {404, error_xml("DBSnapshotNotFound"), false, {}};
    snapshots.erase(name);
    return {200, result_xml(action, ""), std::exchange(delete_lost, false), {}};
  }
};

struct Ownership : testing::Test {
  Shelf shelf;
  ConnectionForTests test{[this](const ReceivedRequest& request) { return shelf.answer(request); }};
  OwnedResources owned{test.client, run};
  const std::string name = "reseal-0f8c2d4e-plain";

  DbSnapshot ensure() {
    return owned.ensure("plain", CreateSnapshot{"", "shop", {{"team", "a"}, {"reseal:run", "other"}}});
  }
  long creates() {
    const auto actions = test.server.actions();
    return std::count(actions.begin(), actions.end(), "CreateDBSnapshot");
  }
};

TEST_F(Ownership, what_is_not_there_is_made_once_with_name_and_tags) {
  EXPECT_EQ(ensure().identifier, name);
  EXPECT_EQ(ensure().identifier, name);
  EXPECT_EQ(creates(), 1);
  EXPECT_EQ(shelf.snapshots[name]["reseal:run"], run);
  EXPECT_EQ(shelf.snapshots[name]["reseal:part"], "plain");
  EXPECT_EQ(shelf.snapshots[name]["team"], "a");
}

TEST_F(Ownership, another_run_whose_id_begins_alike_is_a_stranger) {
  ensure();
  OwnedResources other(test.client, "0f8c2d4e-9999-4222-8333-444455556666");
  EXPECT_EQ(other.name("plain"), name);
  EXPECT_THROW((void)other.own_snapshot("plain"), Failure);
  EXPECT_EQ(owned.own_snapshot("plain")->identifier, name);
  EXPECT_FALSE(owned.own_snapshot("copy"));
}

TEST_F(Ownership, a_name_that_was_given_is_kept) {
  EXPECT_EQ(owned.ensure("plain", CreateSnapshot{"by-hand", "shop", {}}).identifier, "by-hand");
  EXPECT_EQ(shelf.snapshots["by-hand"]["reseal:run"], run);
}

TEST_F(Ownership, a_lost_answer_of_a_create_that_was_carried_out_makes_no_second_one) {
  shelf.lose_after = 1;
  EXPECT_EQ(ensure().identifier, name);
  EXPECT_THAT(test.server.actions(), ElementsAre("DescribeDBSnapshots", "CreateDBSnapshot", "DescribeDBSnapshots"));
}

TEST_F(Ownership, a_create_that_was_lost_on_its_way_is_sent_again) {
  shelf.lose_before = 1;
  EXPECT_EQ(ensure().identifier, name);
  EXPECT_EQ(creates(), 2);
}

TEST_F(Ownership, what_was_made_and_is_not_seen_yet_is_found_by_its_taken_name) {
  shelf.lose_after = 1;
  shelf.unseen_looks = 2;
  EXPECT_EQ(ensure().identifier, name);
  EXPECT_EQ(creates(), 3);
  EXPECT_EQ(shelf.snapshots.size(), 1U);
}

TEST_F(Ownership, it_gives_up_when_every_answer_is_lost) {
  shelf.lose_before = 100;
  EXPECT_THROW(ensure(), Failure);
  EXPECT_EQ(creates(), 6);
}

TEST_F(Ownership, a_strangers_resource_of_our_name_is_refused_and_not_touched) {
  for (const Tags& tags : {Tags{}, Tags{{"reseal:run", run}}, Tags{{"reseal:run", "x"}, {"reseal:part", "plain"}},
                           Tags{{"reseal:run", run}, {"reseal:part", "copy"}}}) {
    shelf.snapshots = {{name, tags}};
    for (const auto& act :
         {std::function<void()>([&] { ensure(); }), std::function<void()>([&] { owned.remove_snapshot("plain"); })}) {
      try {
        act();
        FAIL();
      } catch (const Failure& failure) {
        EXPECT_EQ(failure.kind(), FailureKind::refused);
        EXPECT_THAT(failure.what(), HasSubstr("it is not this run's and was not touched"));
      }
    }
    EXPECT_EQ(shelf.snapshots.at(name), tags);
  }
  EXPECT_THAT(test.server.actions(), Not(Contains("DeleteDBSnapshot")));
  EXPECT_EQ(creates(), 0);
}

TEST_F(Ownership, a_stranger_who_takes_the_name_in_between_is_refused) {
  shelf.snapshots = {{name, {}}};
  shelf.unseen_looks = 1;
  EXPECT_THROW(ensure(), Failure);
  EXPECT_EQ(creates(), 1);
  EXPECT_TRUE(shelf.snapshots.at(name).empty());
}

TEST_F(Ownership, deleting_twice_or_with_a_lost_answer_is_deleting_once) {
  ensure();
  shelf.delete_lost = true;
  EXPECT_TRUE(owned.remove_snapshot("plain"));
  EXPECT_TRUE(shelf.snapshots.empty());
  EXPECT_FALSE(owned.remove_snapshot("plain"));
}

TEST(OwnedName, is_a_valid_one_or_none) {
  EXPECT_EQ(owned_name(run, "encrypted-copy"), "reseal-0f8c2d4e-encrypted-copy");
  EXPECT_EQ(owned_name(run, std::string(47, 'x')).size(), 63U);
  for (const auto* bad : {"", "-a", "a-", "a--b", "A", "a_b", "a b"})
    EXPECT_THROW(owned_name(run, bad), Failure) << bad;
  EXPECT_THROW(owned_name(run, std::string(48, 'x')), Failure);
  EXPECT_THROW(owned_name("../x", "a"), Failure);
  EXPECT_THROW(owned_name("-x", "a"), Failure);
}

}  // namespace
}  // namespace reseal::rds
