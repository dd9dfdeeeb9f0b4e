// SPDX-License-Identifier: Apache-2.0
#include "journal/journal.hpp"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fstream>

#include "base/failure.hpp"
#include "base/temporary_folder.hpp"

namespace reseal::journal {
namespace {

namespace fs = std::filesystem;

class Folder {
 public:
  ~Folder() { fs::remove_all(path_); }
  fs::path operator/(const char* name) const { return path_ / name; }

 private:
  fs::path path_ = base::make_temporary_folder("reseal-journal-");
};

TEST(journal, keeps_facts_and_events_across_reopening) {
  Folder folder;
  {
    Journal journal(folder / "run");
    journal.set_fact("phase", "seed");
    journal.set_fact("phase", "follow");
    journal.record("phase", "seed");
    journal.record("phase", "follow");
  }
  const Journal journal(folder / "run");
  EXPECT_EQ(journal.fact("phase"), "follow");
  EXPECT_EQ(journal.fact("missing"), std::nullopt);
  ASSERT_EQ(journal.events(1).size(), 1U);
  EXPECT_EQ(journal.events(1)[0].detail, "follow");
  EXPECT_EQ(journal.events(9).size(), 2U);
}

TEST(journal, second_copy_of_the_tool_is_refused_but_may_look) {
  Folder folder;
  Journal journal(folder / "run");
  journal.set_fact("a", "b");
  try {
    Journal second(folder / "run");
    FAIL();
  } catch (const base::Failure& failure) {
    EXPECT_EQ(failure.kind(), base::FailureKind::running);
  }
  EXPECT_EQ(Journal::look(folder / "run")->fact("a"), "b");
  EXPECT_FALSE(Journal::look(folder / "other").has_value());
}

TEST(journal, refuses_a_folder_that_others_may_write_and_a_damaged_file) {
  Folder folder;
  ::mkdir((folder / "open").c_str(), 0700);
  ::chmod((folder / "open").c_str(), 0777);
  EXPECT_THROW(Journal(folder / "open"), base::Failure);
  ::mkdir((folder / "damaged").c_str(), 0700);
  std::ofstream(folder / "damaged" / "journal.sqlite") << std::string(4096, 'x');
  EXPECT_THROW(Journal(folder / "damaged"), base::Failure);
}

}  // namespace
}  // namespace reseal::journal
