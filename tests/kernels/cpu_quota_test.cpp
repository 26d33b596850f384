// The quota of the process's control group, as containers and services set it.
#include "kernels/host/processors.hpp"

#include <gtest/gtest.h>

#include "tests/kernels/made_up_machine.hpp"

namespace hacscale::host {
namespace {

using hacscale::testing::MadeUpMachine;

constexpr const char* version_2_mount = "25 20 0:22 / /sys/fs/cgroup rw,nosuid - cgroup2 cgroup2 rw";
constexpr const char* version_1_mount =
    "32 31 0:29 / /sys/fs/cgroup/cpu rw,relatime shared:9 - cgroup cgroup rw,cpu,cpuacct";

double quota_of(const MadeUpMachine& machine) {
    const auto quota = cpu_quota(machine.root());
    return quota ? quota->cores : 0.0;
}

TEST(CpuQuota, ThereIsNoneWithoutControlGroups) {
    EXPECT_EQ(cpu_quota(MadeUpMachine().root()), std::nullopt);
}

TEST(CpuQuota, Version2InAContainer) {
    const MadeUpMachine machine;
    machine.write("proc/self/mountinfo", version_2_mount);
    machine.write("proc/self/cgroup", "0::/");
    machine.write("sys/fs/cgroup/cpu.max", "150000 100000");
    const auto quota = cpu_quota(machine.root());
    ASSERT_TRUE(quota);
    EXPECT_DOUBLE_EQ(quota->cores, 1.5);
    EXPECT_EQ(quota->file, (machine.root() / "sys/fs/cgroup/cpu.max").string());
    machine.write("sys/fs/cgroup/cpu.max", "max 100000");
    EXPECT_EQ(cpu_quota(machine.root()), std::nullopt);
}

TEST(CpuQuota, TheLeastOfNestedGroupsCounts) {
    const MadeUpMachine machine;
    machine.write("proc/self/mountinfo", version_2_mount);
    machine.write("proc/self/cgroup", "0::/user.slice/job.scope");
    machine.write("sys/fs/cgroup/user.slice/cpu.max", "200000 100000");
    machine.write("sys/fs/cgroup/user.slice/job.scope/cpu.max", "max 100000");
    EXPECT_DOUBLE_EQ(quota_of(machine), 2.0);
    machine.write("sys/fs/cgroup/user.slice/job.scope/cpu.max", "50000 100000");
    EXPECT_DOUBLE_EQ(quota_of(machine), 0.5);
    machine.write("sys/fs/cgroup/elsewhere/cpu.max", "10000 100000");  // another group's
    EXPECT_DOUBLE_EQ(quota_of(machine), 0.5);
}

TEST(CpuQuota, Version1) {
    const MadeUpMachine machine;
    machine.write("proc/self/mountinfo",
                  std::string("31 23 0:28 / /sys/fs/cgroup rw - tmpfs tmpfs rw\n") + version_1_mount);
    machine.write("proc/self/cgroup", "4:memory:/elsewhere\n1:cpu,cpuacct:/jobs/one\n0::/");
    machine.write("sys/fs/cgroup/cpu/cpu.cfs_quota_us", "-1");
    machine.write("sys/fs/cgroup/cpu/cpu.cfs_period_us", "100000");
    EXPECT_EQ(cpu_quota(machine.root()), std::nullopt);
    machine.write("sys/fs/cgroup/cpu/jobs/one/cpu.cfs_quota_us", "25000");
    machine.write("sys/fs/cgroup/cpu/jobs/one/cpu.cfs_period_us", "50000");
    EXPECT_DOUBLE_EQ(quota_of(machine), 0.5);
}

// Docker without a namespace of its own for groups: the process is in /docker/ID, and that is what is
// mounted.
TEST(CpuQuota, AMountMayShowTheInnerGroupOnly) {
    const MadeUpMachine machine;
    machine.write("proc/self/mountinfo",
                  "32 31 0:29 /docker/4f /sys/fs/cgroup/cpu ro - cgroup cgroup rw,cpu");
    machine.write("proc/self/cgroup", "1:cpu:/docker/4f");
    machine.write("sys/fs/cgroup/cpu/cpu.cfs_quota_us", "100000");
    machine.write("sys/fs/cgroup/cpu/cpu.cfs_period_us", "100000");
    EXPECT_DOUBLE_EQ(quota_of(machine), 1.0);
    machine.write("proc/self/cgroup", "1:cpu:/../../outside");
    EXPECT_DOUBLE_EQ(quota_of(machine), 1.0);
}

TEST(CpuQuota, OddNamesAndContentsDoNoHarm) {
    const MadeUpMachine machine;
    machine.write("proc/self/mountinfo", "no mount\n25 20 0:22 / /odd\\040place rw - cgroup2 cgroup2 rw");
    machine.write("proc/self/cgroup", "nonsense\n0::/");
    machine.write("odd place/cpu.max", "40000 20000");
    EXPECT_DOUBLE_EQ(quota_of(machine), 2.0);
    for (const char* text : {"", "x y", "-1 100000", "100000 0", "100000"}) {
        machine.write("odd place/cpu.max", text);
        EXPECT_EQ(cpu_quota(machine.root()), std::nullopt) << text;
    }
}

}  // namespace
}  // namespace hacscale::host
