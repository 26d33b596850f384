// A table filled from end to end: profile() over the CUDA backend.
#include "profiler/profile.hpp"

#include <gtest/gtest.h>

#include "base/error.hpp"
#include "models/stages/lowering.hpp"
#include "tests/gpu/gpu.hpp"
#include "tests/gpu/simulated/device.hpp"
#include "tests/gpu/simulated/new_backend.hpp"
#include "tests/kernels/small_models.hpp"
#include "tests/profiler/table_support.hpp"

namespace hacscale {
namespace {

using simulated::Device;

class SimulatedProfile : public ::testing::Test {
protected:
    SimulatedProfile() {
        backend = testing::new_backend();
        device = {backend.get(), backend->devices().front()};
        record = {device.device.id, device.device.name, device.device.fingerprint, device.device.properties};
        request.host_networks = {find("inverted_residual_squeeze"), find("conv_pool"), find("preact_basic")};
        // Kernels on matrix units, which f32 does not have, are slow to emulate.
        request.settings.type = DataType::f32;
        // The device's clock is exact; the time there is is the host's, which computes slowly under
        // sanitizers.
        request.settings.rules = {.target_half_width = 0.01,
                                  .max_seconds = 20.0,
                                  .min_samples = 6,
                                  .min_visits = 2,
                                  .burst_us = 100.0};
        request.caches = {CacheState::network, CacheState::warm, CacheState::cold};
    }
    ~SimulatedProfile() override {
        backend.reset();
        Device::instance().mend();
    }

    static Network find(const std::string& name) {
        for (const ModelSpec& model : testing::small_models()) {
            if (model.name == name) return {.name = name, .graph = lower(model)};
        }
        throw InputError("no small model is called " + name);
    }
    Table table(OpenMode mode) { return Table::open(folder / "table.sqlite", mode, &record); }

    std::unique_ptr<Backend> backend;
    DeviceHandle device;
    DeviceRecord record;
    ProfileRequest request;
    const testing::TempFolder folder;
};

std::string cache_name(const ::testing::TestParamInfo<CacheState>& tested) {
    return std::string(name_of(tested.param));
}

class SimulatedProfileOfACache : public SimulatedProfile, public ::testing::WithParamInterface<CacheState> {
protected:
    SimulatedProfileOfACache() { request.caches = {GetParam()}; }
};

INSTANTIATE_TEST_SUITE_P(Caches, SimulatedProfileOfACache,
                         ::testing::Values(CacheState::network, CacheState::warm, CacheState::cold),
                         cache_name);

TEST_P(SimulatedProfileOfACache, FillsATableWithWhatRan) {
    Table filled = table(OpenMode::create);
    const ProfileSummary summary = profile(device, filled, request, {});
    EXPECT_GT(summary.measured, 13);
    EXPECT_EQ(summary.failed, 0);
    EXPECT_EQ(summary.noisy, 0);
    bool cudnn = false;
    bool own = false;
    for (const Row& row : filled.query({})) {
        SCOPED_TRACE(row.key.layer.key());
        EXPECT_EQ(row.status, RowStatus::ok) << row.reason;
        EXPECT_GT(row.latency_us, 0.5);
        EXPECT_TRUE(row.implementation.starts_with("cudnn eng") ||
                    row.implementation.starts_with("hacscale "))
            << row.implementation;
        (row.implementation.starts_with("cudnn") ? cudnn : own) = true;
    }
    EXPECT_TRUE(cudnn);
    EXPECT_TRUE(own);
    if (GetParam() != CacheState::network) return;
    // The clock is exact, so the sums are.
    for (const HostNetworkResult& host_network : summary.host_networks) {
        const Graph network = request.host_networks[host_network.host_network].graph;
        const NetworkEstimate predicted = predict(filled, network, request.settings, CacheState::network);
        EXPECT_NEAR(predicted.latency_us / host_network.total.median, 1.0, 0.02) << host_network.model;
    }
}

TEST_F(SimulatedProfile, KeepsItsRowsWhenTheDeviceIsLostAndGoesOn) {
    request.caches = {CacheState::network};
    request.host_networks.resize(1);
    {
        Table filled = table(OpenMode::create);
        Device::instance().break_kernel(400);
        EXPECT_THROW(profile(device, filled, request, {}), DeviceLost);
        EXPECT_FALSE(Device::instance().fault_is_ahead());
    }
    backend.reset();
    Device::instance().mend();
    backend = testing::new_backend();
    device.backend = backend.get();
    Table filled = table(OpenMode::write);
    const ProfileSummary summary = profile(device, filled, request, {});
    EXPECT_EQ(summary.failed, 0);
    for (const Row& row : filled.query({})) EXPECT_EQ(row.status, RowStatus::ok) << row.reason;
}

TEST_F(SimulatedProfile, SaysWhereMemoryWasTooSmall) {
    Table filled = table(OpenMode::create);
    Device::instance().capacity_bytes = Device::instance().bytes() + (std::size_t{64} << 20) + 16384;
    request.caches = {CacheState::network};
    const ProfileSummary summary = profile(device, filled, request, {});
    EXPECT_GT(summary.failed, 0);
    EXPECT_EQ(summary.failed, summary.measured);
    for (const Row& row : filled.query({})) {
        EXPECT_EQ(row.status, RowStatus::failed);
        EXPECT_NE(row.reason.find("out of device memory"), std::string::npos) << row.reason;
    }
    // Another process has given the memory back.
    Device::instance().capacity_bytes = simulated::usual_capacity_bytes;
    EXPECT_EQ(profile(device, filled, request, {}).failed, 0);
    for (const Row& row : filled.query({})) EXPECT_EQ(row.status, RowStatus::ok) << row.reason;
}

// What cannot be launched just now is not what the device has no kernel for.
class SimulatedProfileOfRefusedKernels : public SimulatedProfile,
                                         public ::testing::WithParamInterface<CacheState> {};

INSTANTIATE_TEST_SUITE_P(Caches, SimulatedProfileOfRefusedKernels,
                         ::testing::Values(CacheState::network, CacheState::warm), cache_name);

TEST_P(SimulatedProfileOfRefusedKernels, AsksAgainForWhatFailedWhileCandidatesWereTimed) {
    Table filled = table(OpenMode::create);
    request.caches = {GetParam()};
    request.host_networks.resize(1);
    request.settings.batch = GetParam() == CacheState::network ? 5 : 6;  // no other test has timed these
    Device::instance().refuse_kernels(cudaErrorLaunchOutOfResources);
    const ProfileSummary summary = profile(device, filled, request, {});
    EXPECT_GT(summary.failed, 0);
    EXPECT_EQ(summary.failed, summary.measured);
    for (const Row& row : filled.query({})) {
        EXPECT_EQ(row.status, RowStatus::failed) << row.reason;
        EXPECT_NE(row.reason.find("failed: "), std::string::npos) << row.reason;
    }
    Device::instance().mend();
    EXPECT_EQ(profile(device, filled, request, {}).failed, 0);
    for (const Row& row : filled.query({})) EXPECT_EQ(row.status, RowStatus::ok) << row.reason;
}

// A GPU that falls off the bus mostly answers with 999.
TEST_F(SimulatedProfile, HasNoUnsupportedRowsOfALostDevice) {
    request.host_networks.resize(1);
    request.settings.batch = 7;
    for (const cudaError_t error :
         {cudaErrorUnknown, cudaErrorDevicesUnavailable, cudaErrorSystemNotReady, cudaErrorNoDevice}) {
        SCOPED_TRACE(error);
        const testing::TempFolder its_folder;
        Table filled = Table::open(its_folder / "table.sqlite", OpenMode::create, &record);
        Device::instance().break_kernel(3, error);
        EXPECT_THROW(profile(device, filled, request, {}), DeviceLost);
        for (const Row& row : filled.query({})) EXPECT_EQ(row.status, RowStatus::failed) << row.reason;
        backend.reset();
        Device::instance().mend();
        backend = testing::new_backend();
        device.backend = backend.get();
    }
}

}  // namespace
}  // namespace hacscale
