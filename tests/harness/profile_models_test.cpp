// Filling a table for scaling, on a device whose machine changes its speed.
#include "harness/measure/profile_models.hpp"

#include <gmock/gmock.h>

#include "fixture.hpp"
#include "models/formats/formats.hpp"
#include "models/stages/lowering.hpp"
#include "profiler/table/check.hpp"
#include "tests/profiler/fake_backend.hpp"
#include "tests/profiler/table_support.hpp"

namespace hacscale::harness {
namespace {

using namespace hacscale::testing;
using ::testing::HasSubstr;
using ::testing::Not;

class ProfileModels : public ::testing::Test {
protected:
    ProfileModels() {
        take_long(device_.machine);
        plan_.swept = {chain_model("chain", {8, 16})};
        plan_.spaces.resize(1);
        plan_.spaces[0].max_depth_ratio = 1.0;
        plan_.measure = quick_settings();
        plan_.measure.rules.max_seconds = 0.05;
        plan_.sweep.max_seconds = 1.5;
        plan_.sweep.coarse_widths = 2;
    }

    ProfileOutcome run() { return profile_models(device_.handle, table_, plan_, events_); }
    std::string warning() const {
        return speed_warning(device_.handle, table_, plan_.measure, "do it again").value_or("");
    }
    bool exact(const Row& row) const {
        return std::abs(row.latency_us / device_.machine.latency_us(row.key.layer) - 1.0) < 1e-6;
    }

    TempFolder folder_;
    FakeDevice device_;
    DeviceRecord record_ = device_.record();
    Table table_ = Table::open(folder_ / "t.db", OpenMode::create, &record_);
    ProfileJob plan_;
    FakeEvents events_;
};

TEST_F(ProfileModels, WhatWasMeasuredOnASlowMachineIsMeasuredAgainAtTheEnd) {
    // Slow while the networks as they are are measured, and for the first of the others.
    const std::size_t slow_networks = 3;
    std::size_t compiled = 0;
    device_.machine.before_compile = [&](const Graph& network) {
        compiled += is_reference(network) ? 0 : 1;
        device_.machine.slowdown = compiled <= slow_networks ? 1.5 : 1.0;
    };
    const ProfileOutcome outcome = run();
    EXPECT_THAT(events_.said, HasSubstr("again that were measured while the machine was slower"));
    EXPECT_EQ(warning(), "");
    for (const Row& row : table_.query({})) {
        EXPECT_TRUE(exact(row)) << row.key.layer.key() << " " << row.latency_us;
    }
    EXPECT_EQ(outcome.rows.noisy, 0);
    ASSERT_EQ(outcome.verified.size(), 1U) << "the network as it is, once";
    EXPECT_EQ(outcome.verified[0].record.model_hash, model_hash(plan_.swept[0]));
    for (const VerificationRecord& record : table_.verifications()) {
        EXPECT_EQ(record.model_hash, outcome.verified[0].record.model_hash) << "not of other widths";
    }
    EXPECT_GT(outcome.verified[0].upper.samples, 0) << "of the passes that the latency is of";
    EXPECT_NEAR(outcome.verified[0].record.predicted_us / outcome.verified[0].record.measured_us, 1.0, 0.1);
}

TEST_F(ProfileModels, WhatStaysOfASlowMachineIsTold) {
    run();
    EXPECT_EQ(warning(), "");
    const auto good_rows = table_.size();
    device_.machine.slowdown = 1.5;
    plan_.swept[0] = chain_model("other", {24, 48, 24});
    const ProfileOutcome outcome = run();
    EXPECT_GT(outcome.rows.noisy, 0);
    EXPECT_GT(table_.size(), good_rows);
    EXPECT_THAT(warning(), HasSubstr("rows were measured while the machine was up to 1."));
    EXPECT_THAT(warning(), HasSubstr("do it again"));
    EXPECT_TRUE(check_table(table_.file()).sound());

    // The same again, on a fast machine, mends it.
    device_.machine.slowdown = 1.0;
    run();
    EXPECT_EQ(warning(), "");
    for (const Row& row : table_.query({})) {
        EXPECT_TRUE(exact(row)) << row.key.layer.key() << " " << row.latency_us;
    }
}

TEST_F(ProfileModels, AMachineThatBecameFasterThanForAllRowsIsTold) {
    device_.machine.slowdown = 1.5;
    run();
    EXPECT_EQ(warning(), "");
    device_.machine.slowdown = 1.0;
    measure_graphs(device_.handle, {lower(chain_model("chain", {8, 16}))}, plan_.measure, {});
    EXPECT_THAT(warning(), HasSubstr("became 1."));
    EXPECT_THAT(warning(), Not(HasSubstr("do it again")));
}

TEST_F(ProfileModels, WhoAsksItToStopKeepsWhatWasMeasured) {
    std::size_t compiled = 0;
    device_.machine.before_compile = [&](const Graph& network) {
        compiled += is_reference(network) ? 0 : 1;
        events_.stop = compiled > 4;
    };
    const ProfileOutcome outcome = run();
    EXPECT_TRUE(outcome.rows.interrupted);
    EXPECT_FALSE(outcome.complete());
    EXPECT_GT(table_.size(), 0);
    EXPECT_GT(events_.progress_reports, 0);
    EXPECT_GT(events_.progress_ends, 0);
    const auto kept = table_.size();
    device_.machine.before_compile = [](const Graph&) {};
    events_.stop = false;
    EXPECT_FALSE(run().rows.interrupted);
    EXPECT_GT(table_.size(), kept);
}

}  // namespace
}  // namespace hacscale::harness
