#include "profiler/instruments/cupti/cuda_instruments.hpp"

#include <gtest/gtest.h>

#include <functional>

#include "base/error.hpp"
#include "tests/profiler/instruments/fake_cupti.hpp"
#include "tests/profiler/instruments/fake_libraries.hpp"

namespace hacscale {
namespace {

using tests::fake_cupti;

// Layer N launches N kernels, the k-th of which takes k microseconds.
class FakeRunner : public NetworkRunner {
public:
    void load(const std::vector<LayerWeights>&) override {}
    void set_input(std::size_t, std::span<const float>) override {}
    void run() override {}
    double time_cold() override { return 0.0; }
    void run_timed(std::span<double>) override {}
    void start_layer(int node) override {
        if (node == failing_layer && --starts_until_failure <= 0) throw_failure();
        for (int kernel = 1; kernel <= node; ++kernel) {
            fake_cupti().launch("kernel", static_cast<std::uint64_t>(kernel) * 1000);
        }
    }
    void wait() override {
        if (lost) throw DeviceLost("an illegal address");
    }
    void poison() override {}
    std::vector<float> output(std::size_t) const override { return {}; }
    std::string implementation(int) const override { return "fake"; }
    std::size_t weight_bytes() const override { return 0; }
    std::size_t activation_bytes() const override { return 0; }

    int failing_layer = -1;
    int starts_until_failure = 1;
    std::function<void()> throw_failure;
    bool lost = false;
};

class CudaInstrument : public ::testing::Test {
protected:
    CudaInstrument() {
        environment.set("HACSCALE_CUDA_LIBS",
                        tests::fake_library("driver") + ":" + tests::fake_library("nvml"));
        driver = driver::open_driver();
        nvml = nvml::open_nvml();
        cupti = tests::make_fake_cupti();
        network.nodes.resize(3);
    }
    void SetUp() override {
        if (cupti.activity_get_next_record == nullptr) GTEST_SKIP() << cupti::cupti().reason;
    }
    std::vector<LayerReadings> inspect(int ordinal = 0) {
        return CudaInstruments(cupti, driver, nvml, ordinal, {}).inspect(runner, network);
    }
    tests::Environment environment;
    driver::DriverLibrary driver;
    nvml::NvmlLibrary nvml;
    cupti::CuptiLibrary cupti;
    FakeRunner runner;
    Graph network;
};

TEST_F(CudaInstrument, TellOfEachLayer) {
    const std::vector<LayerReadings> readings = inspect();
    ASSERT_EQ(readings.size(), 3U);
    const LayerReadings& layer = readings[2];
    ASSERT_EQ(layer.kernels.size(), 2U);
    EXPECT_DOUBLE_EQ(layer.kernels[1].duration_us, 2.0);
    EXPECT_DOUBLE_EQ(layer.kernel_time_us.value(), 3.0);
    // Blocks of 256 threads with 96 registers and 65 KiB: 8 warps; 3072 registers a warp, 5 a partition, 20
    // in all, so 2 blocks by registers; 228 / 66 = 3 by shared memory. 16 of 64 warps. But the
    // device holds 60 clusters of two blocks, which are 120 of 264 blocks; the grid has 336.
    EXPECT_DOUBLE_EQ(layer.occupancy_theoretical.value(), 0.25 * 120.0 / 264.0);
    EXPECT_DOUBLE_EQ(layer.occupancy_grid_limited.value(), 0.25 * 120.0 / 264.0);
    EXPECT_DOUBLE_EQ(layer.occupancy_achieved.value(), 0.52);
    EXPECT_TRUE(layer.reasons.empty());
    // Recorded kernels and counters never overlap, and both are off in the end.
    EXPECT_EQ(fake_cupti().enabled_activities, 0);
    EXPECT_FALSE(fake_cupti().enabled);
    // CUPTI does not stay in the process, where it would slow down what is timed next.
    EXPECT_EQ(fake_cupti().calls.back(), "finalize");
}

TEST_F(CudaInstrument, SayThatALayerLaunchedNothing) {
    const LayerReadings layer = inspect()[0];
    EXPECT_TRUE(layer.kernels.empty());
    EXPECT_FALSE(layer.kernel_time_us);
    EXPECT_EQ(layer.reasons.count("kernel_time_us"), 1U);
    EXPECT_EQ(layer.reasons.count("occupancy_theoretical"), 1U);
    EXPECT_TRUE(layer.sm_busy);
}

// One instrument may fail and leave the other.
TEST_F(CudaInstrument, FailOneByOne) {
    fake_cupti().failing_call = "enable";
    fake_cupti().failure = CUPTI_ERROR_MIG_DEVICE_NOT_SUPPORTED;
    LayerReadings layer = inspect()[1];
    EXPECT_TRUE(layer.kernel_time_us);
    EXPECT_FALSE(layer.occupancy_achieved);
    EXPECT_NE(layer.reasons.at("occupancy_achieved").find("MIG"), std::string::npos);

    cupti = tests::make_fake_cupti();
    fake_cupti().failing_call = "activity_enable";
    fake_cupti().failure = CUPTI_ERROR_MULTIPLE_SUBSCRIBERS_NOT_SUPPORTED;
    layer = inspect()[1];
    EXPECT_FALSE(layer.kernel_time_us);
    EXPECT_NE(layer.reasons.at("kernel_time_us").find("another profiler"), std::string::npos);
    EXPECT_EQ(layer.reasons.size(), 3U);
    EXPECT_TRUE(layer.occupancy_achieved);
}

TEST_F(CudaInstrument, CountDroppedRecords) {
    const CudaInstruments instruments(cupti, driver, nvml, 0, {});
    const std::int64_t before = instruments.dropped_records();
    fake_cupti().dropped_records = 7;
    inspect();
    EXPECT_EQ(instruments.dropped_records(), before + 7);
}

TEST_F(CudaInstrument, LetALostDeviceThroughAndKeepOtherFailures) {
    runner.failing_layer = 1;
    runner.throw_failure = [] { throw DeviceLost("an illegal address"); };
    EXPECT_THROW(inspect(), DeviceLost);
    EXPECT_EQ(fake_cupti().enabled_activities, 0);

    runner.throw_failure = [] { throw WorkError("out of memory"); };
    const LayerReadings layer = inspect()[2];
    EXPECT_EQ(layer.reasons.size(), 8U);
    EXPECT_NE(layer.reasons.at("sm_busy").find("out of memory"), std::string::npos);
}

// Else all that is timed after a failed look would be slower. CUPTI goes last, with records and counters off.
TEST_F(CudaInstrument, TakeCuptiOutAfterAFailureInEachPhase) {
    // The layer is started once to warm up, five times for the records, and once for each pass of the
    // counters.
    for (const int starts : {1, 4, 7}) {
        SCOPED_TRACE(starts);
        cupti = tests::make_fake_cupti();
        runner.failing_layer = 1;
        runner.starts_until_failure = starts;
        runner.throw_failure = [] { throw WorkError("out of memory"); };
        inspect();
        ASSERT_FALSE(fake_cupti().calls.empty());
        EXPECT_EQ(fake_cupti().calls.back(), "finalize");
        EXPECT_EQ(fake_cupti().enabled_activities, 0);
        EXPECT_FALSE(fake_cupti().enabled);
    }
}

// CUPTI wants the device idle when it goes, which a lost device never is again.
TEST_F(CudaInstrument, LeaveCuptiInWhereTheDeviceIsLost) {
    runner.failing_layer = 1;
    runner.starts_until_failure = 7;  // while the counters are read
    runner.throw_failure = [this] {
        runner.lost = true;
        throw DeviceLost("an illegal address");
    };
    EXPECT_THROW(inspect(), DeviceLost);
    EXPECT_EQ(fake_cupti().calls.back(), "disable");
    EXPECT_FALSE(fake_cupti().enabled);
}

// What a broken-off look recorded does not turn up in the next one.
TEST_F(CudaInstrument, StartAfreshAfterAFailure) {
    runner.failing_layer = 2;
    runner.starts_until_failure = 3;  // in the second of the recorded runs
    runner.throw_failure = [] { throw WorkError("out of memory"); };
    EXPECT_EQ(inspect()[1].reasons.size(), 8U);
    runner.failing_layer = -1;
    const std::vector<LayerReadings> readings = inspect();
    ASSERT_EQ(readings[1].kernels.size(), 1U);
    EXPECT_DOUBLE_EQ(readings[1].kernel_time_us.value(), 1.0);
    EXPECT_TRUE(readings[2].reasons.empty());
}

TEST_F(CudaInstrument, SayThatADeviceIsNotThere) {
    const LayerReadings layer = inspect(5)[0];
    EXPECT_EQ(layer.reasons.size(), 8U);
    EXPECT_NE(layer.reasons.at("dram_bytes").find("cuda:5"), std::string::npos);
    EXPECT_NE(layer.reasons.at("dram_bytes").find("invalid device ordinal"), std::string::npos);
    CudaInstruments instruments(cupti, driver, nvml, 5, {});
    EXPECT_EQ(instruments.state().reasons.count("power_w"), 1U);
    EXPECT_FALSE(instruments.energy().mj);
    EXPECT_NE(instruments.energy().reason, "");
    EXPECT_FALSE(instruments.sm_clock_mhz());
}

TEST_F(CudaInstrument, TellTheDevicesState) {
    EXPECT_EQ(CudaInstruments(cupti, driver, nvml, 0, {}).state().sm_clock_mhz, 1755.0);
    EXPECT_EQ(CudaInstruments(cupti, driver, nvml, 0, {}).sm_clock_mhz(), 1755.0);
    EXPECT_TRUE(CudaInstruments(cupti, driver, nvml, 0, {}).energy().mj);
}

TEST_F(CudaInstrument, WithTheRealCuptiAndNoGpuGiveReasonsOnly) {
    cupti = cupti::open_cupti();
    const LayerReadings layer = inspect()[1];
    if (layer.occupancy_achieved) GTEST_SKIP() << "this machine has a GPU";
    EXPECT_FALSE(layer.reasons.at("kernel_time_us").empty());
    EXPECT_FALSE(layer.reasons.at("occupancy_achieved").empty());
}

TEST(OpenInstruments, KnowWhichDevicesHaveThem) {
    const auto open = [](const char* id) {
        BackendDevice device;
        device.id = id;
        return open_instruments(device);
    };
    EXPECT_EQ(open("cpu"), nullptr);
    EXPECT_EQ(open("cuda:"), nullptr);
    EXPECT_EQ(open("cuda:x"), nullptr);
    EXPECT_EQ(open("cuda:0x"), nullptr);
    EXPECT_NE(open("cuda:0"), nullptr);
}

TEST(DeviceFacts, AreReadFromTheDriver) {
    tests::Environment environment;
    environment.set("HACSCALE_CUDA_LIBS", tests::fake_library("driver"));
    const driver::DriverLibrary library = driver::open_driver();
    ASSERT_TRUE(library.usable()) << library.reason;
    const driver::DeviceFactsResult result = driver::device_facts(library, 0);
    ASSERT_TRUE(result.facts) << result.reason;
    EXPECT_EQ(result.facts->pci_bus_id, "0000:3B:00.0");
    EXPECT_EQ(result.facts->uuid, "GPU-00010203-0405-0607-0809-0a0b0c0d0e0f");
    EXPECT_EQ(result.facts->limits.multiprocessors, 132);
    EXPECT_EQ(result.facts->limits.shared_per_block_optin, 232448U);
}

TEST(DeviceFacts, SayThatThereIsNoDriver) {
    const driver::DriverLibrary library = driver::open_driver();
    if (library.usable()) GTEST_SKIP() << "this machine has a driver";
    const driver::DeviceFactsResult result = driver::device_facts(library, 0);
    EXPECT_FALSE(result.facts);
    EXPECT_NE(result.reason.find("driver"), std::string::npos) << result.reason;
}

}  // namespace
}  // namespace hacscale
