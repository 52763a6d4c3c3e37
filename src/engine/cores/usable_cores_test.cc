// What limits the cores of a process, in the files of both versions of control groups.
#include "engine/cores/usable_cores.h"

#include <gtest/gtest.h>
#include <unistd.h>

namespace muster::engine {
namespace {

class UsableCores : public ::testing::Test {
 protected:
  UsableCores()
      : root(std::filesystem::temp_directory_path() / ("cgroup-" + std::to_string(::getpid()))) {}
  ~UsableCores() override { std::filesystem::remove_all(root); }
  void put(const std::string& path, const std::string& text) {
    std::filesystem::create_directories((root / path).parent_path());
    ASSERT_TRUE(write_file_atomically(root / path, text));
  }

  const Path root;
};

TEST_F(UsableCores, AreThoseOfTheMaskWithoutAQuota) {
  EXPECT_EQ(cores_within(8, "", root), 8);
  EXPECT_EQ(cores_within(8, "0::/lab\n", root), 8);
  EXPECT_EQ(cores_within(0, "nonsense\n0:\n", root), 1);
  put("lab/cpu.max", "max 100000\n");
  EXPECT_EQ(cores_within(8, "0::/lab\n", root), 8);
}

TEST_F(UsableCores, AreNoMoreThanTheQuotaRoundedUp) {
  put("lab/cpu.max", "250000 100000\n");
  EXPECT_EQ(cores_within(8, "0::/lab\n", root), 3);
  EXPECT_EQ(cores_within(2, "0::/lab\n", root), 2);
  EXPECT_EQ(cores_within(8, "0::/other\n", root), 8);
  put("lab/cpu.max", "5000 100000\n");
  EXPECT_EQ(cores_within(8, "0::/lab\n", root), 1);
}

TEST_F(UsableCores, AreNoMoreThanTheGroupsAboveMay) {
  put("lab/jobs/cpu.max", "max 100000\n");
  put("lab/cpu.max", "400000 100000\n");
  EXPECT_EQ(cores_within(8, "0::/lab/jobs/one\n", root), 4);
  put("cpu.max", "150000 100000\n");  // A container sees its own group at the top.
  EXPECT_EQ(cores_within(8, "0::/lab/jobs/one\n", root), 2);
}

TEST_F(UsableCores, AreNoMoreThanTheFirstVersionsQuota) {
  const std::string groups = "5:cpuset:/\n4:cpu,cpuacct:/docker/1\n0::/\n";
  put("cpu,cpuacct/docker/1/cpu.cfs_quota_us", "-1\n");
  put("cpu,cpuacct/docker/1/cpu.cfs_period_us", "100000\n");
  EXPECT_EQ(cores_within(8, groups, root), 8);
  put("cpu,cpuacct/docker/1/cpu.cfs_quota_us", "150000\n");
  EXPECT_EQ(cores_within(8, groups, root), 2);
  EXPECT_EQ(cores_within(8, "4:cpuacct:/docker/1\n", root), 8);
}

}  // namespace
}  // namespace muster::engine
