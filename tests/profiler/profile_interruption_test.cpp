// Profiling that is interrupted, politely or not, and continues later.
#include <gtest/gtest.h>

#include <csignal>

#include "models/stages/lowering.hpp"
#include "profiler/table/check.hpp"
#include "tests/profiler/profile_support.hpp"

namespace hacscale {
namespace {

using namespace testing;

ProfileRequest request_for(const std::vector<Network>& host_networks) {
    ProfileRequest request;
    request.host_networks = host_networks;
    request.settings = quick_settings();
    return request;
}

void expect_complete(const Table& table, const FakeDevice& device,
                     const std::vector<Network>& host_networks) {
    const std::set<RowKey> keys = network_keys(host_networks, quick_settings());
    EXPECT_EQ(table.size(), static_cast<std::int64_t>(keys.size()));
    for (const RowKey& key : keys) {
        const auto row = table.find(key);
        ASSERT_TRUE(row.has_value()) << key.layer.key();
        EXPECT_NEAR(row->latency_us, device.machine.latency_us(key.layer), 1e-6);
    }
    EXPECT_TRUE(check_table(table.file()).sound());
}

TEST(ProfileInterruption, KeepsFinishedGroupsAndGoesOnWithTheRest) {
    const TempFolder folder;
    FakeDevice device;
    const DeviceRecord record = device.record();
    Table table = Table::open(folder / "t.db", OpenMode::create, &record);
    const std::vector<Network> host_networks = many_chains();

    bool stopped = false;
    WorkEvents events;
    events.keep_going = [&] { return !stopped; };
    // Told at the start of each group: the second one is not begun.
    events.progress = [&](double done, double, const std::string&) { stopped = done > 0.0; };
    const ProfileSummary first = profile(device.handle, table, request_for(host_networks), events);
    EXPECT_TRUE(first.interrupted);
    EXPECT_GT(first.measured, 0);
    EXPECT_EQ(table.size(), first.measured);
    const auto total = static_cast<int>(network_keys(host_networks, quick_settings()).size());
    EXPECT_LT(first.measured, total);

    const ProfileSummary second = profile(device.handle, table, request_for(host_networks), {});
    EXPECT_FALSE(second.interrupted);
    EXPECT_EQ(second.reused, first.measured);
    EXPECT_EQ(second.host_networks.size(), host_networks.size() - first.host_networks.size());
    expect_complete(table, device, host_networks);
}

TEST(ProfileInterruption, LeavesOutWhatWasInterruptedInItsTurn) {
    for (const CacheState cache : {CacheState::network, CacheState::warm}) {
        SCOPED_TRACE(name_of(cache));
        const TempFolder folder;
        FakeDevice device;
        const DeviceRecord record = device.record();
        Table table = Table::open(folder / "t.db", OpenMode::create, &record);
        ProfileRequest request = request_for({chain("a", {8, 16}), chain("b", {64, 96})});
        request.caches = {cache};
        // Far more than is allowed before the interruption.
        request.settings.rules.min_samples = 1'000'000;
        request.settings.rules.min_samples_in_all = 1'000'000;
        int runs = 0;
        device.machine.before_run = [&](const Graph& network) {
            if (!is_reference(network)) ++runs;
        };
        const ProfileSummary summary = profile(device.handle, table, request, {[&] { return runs < 200; }});
        EXPECT_GE(runs, 200);
        EXPECT_TRUE(summary.interrupted);
        EXPECT_EQ(summary.measured, 0);
        EXPECT_EQ(table.size(), 0) << "a row of a few passes would count as measured for ever";
    }
}

TEST(ProfileInterruption, DoesNothingWhenStoppedBeforeItBegins) {
    const TempFolder folder;
    FakeDevice device;
    const DeviceRecord record = device.record();
    Table table = Table::open(folder / "t.db", OpenMode::create, &record);
    ProfileRequest request = request_for(many_chains());
    request.caches = {CacheState::network, CacheState::warm, CacheState::cold};
    const ProfileSummary summary = profile(device.handle, table, request, {[] { return false; }});
    EXPECT_TRUE(summary.interrupted);
    EXPECT_EQ(summary.measured, 0);
    EXPECT_EQ(device.machine.runs, 0);
}

// Profiles in a child that is killed as soon as it has written its first rows.
void profile_and_die(const std::filesystem::path& file, const std::vector<Network>& host_networks) {
    int ends[2] = {};
    ASSERT_EQ(::pipe(ends), 0);
    const pid_t child = ::fork();
    if (child == 0) {
        ::close(ends[0]);
        FakeDevice device;
        const DeviceRecord record = device.record();
        Table table = Table::open(file, OpenMode::create, &record);
        WorkEvents events;
        events.progress = [&](double done, double, const std::string&) {
            if (done > 0.0 && ::write(ends[1], "x", 1) != 1) ::_exit(1);
        };
        profile(device.handle, table, request_for(host_networks), events);
        ::_exit(0);
    }
    ::close(ends[1]);
    char byte = 0;
    EXPECT_EQ(::read(ends[0], &byte, 1), 1) << "the child ended before its first rows";
    ::kill(child, SIGKILL);
    int status = 0;
    ::waitpid(child, &status, 0);
    ::close(ends[0]);
}

TEST(ProfileInterruption, AKilledProcessLosesNothingThatWasWritten) {
    const TempFolder folder;
    const std::vector<Network> host_networks = many_chains();
    profile_and_die(folder / "t.db", host_networks);
    ASSERT_FALSE(HasFailure());
    EXPECT_TRUE(check_table(folder / "t.db").sound());

    FakeDevice device;
    const DeviceRecord record = device.record();
    Table table = Table::open(folder / "t.db", OpenMode::create, &record);
    const std::int64_t written = table.size();
    EXPECT_GT(written, 0);
    std::set<std::string> run;
    device.machine.before_compile = [&](const Graph& network) {
        if (network.nodes.size() > 1 && !is_reference(network)) run.insert(network.nodes[1].layer.key());
    };
    const ProfileSummary summary = profile(device.handle, table, request_for(host_networks), {});
    EXPECT_EQ(summary.reused, written);
    for (const Network& model : std::vector<Network>(host_networks.begin(), host_networks.begin() + 8)) {
        EXPECT_FALSE(run.contains(model.graph.nodes[1].layer.key())) << model.name << " was run again";
    }
    expect_complete(table, device, host_networks);
}

}  // namespace
}  // namespace hacscale
