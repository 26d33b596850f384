#include "kernels/cuda/cudnn/offline_plan.hpp"

#include <gmock/gmock.h>

#include <nlohmann/json.hpp>

#include "base/error.hpp"
#include "tests/kernels/cuda/shipped_profiles.hpp"

namespace hacscale::cuda {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::ThrowsMessage;

nlohmann::json sound() {
    return nlohmann::json::parse(shipped_profile("h200"));
}

void expect_refused(const std::string& text, const std::string& part) {
    EXPECT_THAT([&] { parse_gpu_profile(text); }, ThrowsMessage<InputError>(HasSubstr(part))) << text;
}

TEST(GpuProfile, TheShippedOnesAreSound) {
    const std::map<std::string, int> capabilities{
        {"t4", 75}, {"a100", 80}, {"rtx4090", 89}, {"h200", 90}, {"rtx5090", 120}};
    for (const auto& [name, capability] : capabilities) {
        EXPECT_EQ(parse_gpu_profile(shipped_profile(name)).compute_capability, capability) << name;
    }
    EXPECT_EQ(parse_gpu_profile(shipped_profile("h200")).name, "NVIDIA H200");
}

TEST(GpuProfile, NamesEveryFieldThatIsMissing) {
    const nlohmann::json whole = sound();
    for (const auto& [field, value] : whole.items()) {
        nlohmann::json profile = whole;
        profile.erase(field);
        expect_refused(profile.dump(), "lacks " + field);
    }
    EXPECT_THAT([] { parse_gpu_profile("{}"); },
                ThrowsMessage<InputError>(AllOf(HasSubstr("deviceName"), HasSubstr("l2CacheSize"),
                                                HasSubstr("maxGridSize"), HasSubstr("docs/formats.md"))));
}

TEST(GpuProfile, RefusesWhatIsNoProfile) {
    expect_refused("", "no JSON");
    expect_refused("deviceName: H200", "no JSON");
    expect_refused(R"({"deviceName": "H\u0000200"})", "zero byte");
    expect_refused("[1, 2]", "no JSON object");
    const std::vector<std::pair<std::string, nlohmann::json>> wrong{{"deviceName", 7},
                                                                    {"multiProcessorCount", "many"},
                                                                    {"multiProcessorCount", 0},
                                                                    {"l2CacheSize", -1},
                                                                    {"maxGridSize", {1, 2}},
                                                                    {"maxBlockSize", 1024},
                                                                    {"smClockRateKHz", 1.5},
                                                                    {"deviceVer", 90},
                                                                    {"deviceVer", 905},
                                                                    {"totalGlobalMem", nullptr},
                                                                    {"warpSize", 0}};
    for (const auto& [field, value] : wrong) {
        nlohmann::json profile = sound();
        profile[field] = value;
        expect_refused(profile.dump(), field);
    }
}

}  // namespace
}  // namespace hacscale::cuda
