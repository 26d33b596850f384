// Plans for a GPU that is not here. They need the CUDA backend's module and cuDNN, but neither GPU nor
// driver.
#include <gmock/gmock.h>

#include <set>

#include "kernels/backend/backend_registry.hpp"
#include "program_fixture.hpp"

namespace hacscale::cli {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

const std::string h200 = HACSCALE_SOURCE_DIR "/kernels/cuda/profiles/h200.json";
const std::string t4 = HACSCALE_SOURCE_DIR "/kernels/cuda/profiles/t4.json";

bool module_plans() {
    const BackendRegistry registry = BackendRegistry::load();
    for (const LoadAttempt& attempt : registry.attempts()) {
        if (attempt.module != nullptr && attempt.module->plan != nullptr) return true;
    }
    return false;
}

std::string text_of_file(const std::string& file) {
    std::ifstream in(file, std::ios::binary);
    std::ostringstream text;
    text << in.rdbuf();
    return text.str();
}

class PlanTest : public ProgramTest {
protected:
    void SetUp() override {
        if (!module_plans()) GTEST_SKIP() << "this build has no backend that plans without a device";
    }
    void expect_refused(const Answer& answer, const std::string& file, const std::string& part) const {
        EXPECT_EQ(answer.status, 2);
        EXPECT_EQ(answer.out, "");
        EXPECT_THAT(answer.err, AllOf(HasSubstr(file + ": "), HasSubstr(part)));
    }
};

TEST_F(PlanTest, NamesEngineTileAndWorkspaceOfEachLayer) {
    const Answer answer =
        call({"plan", "resnet18", "--gpu-profile", h200, "--batch", "8", "--dtype", "f16", "--json"});
    if (answer.status == 3) GTEST_SKIP() << answer.err;
    ASSERT_EQ(answer.status, 0) << answer.err;
    const auto plan = answer.json();
    EXPECT_EQ(plan["model"], "resnet18");
    EXPECT_EQ(plan["profile"], h200);
    EXPECT_EQ(plan["gpu"], "NVIDIA H200");
    EXPECT_EQ(plan["compute_capability"], "9.0");
    EXPECT_EQ(plan["batch"], 8);
    EXPECT_EQ(plan["dtype"], "f16");
    EXPECT_THAT(plan["cudnn"].get<std::string>(), HasSubstr("9."));

    const auto layers = call({"models", "show", "resnet18", "--json"}).json()["layers"];
    ASSERT_EQ(plan["layers"].size(), layers.size());
    bool any_tile = false;
    for (std::size_t i = 0; i < layers.size(); ++i) {
        const auto& layer = plan["layers"][i];
        std::set<std::string> keys;
        for (const auto& [key, value] : layer.items()) keys.insert(key);
        EXPECT_EQ(keys, (std::set<std::string>{"layer", "node", "implementation", "engine", "knobs", "tile",
                                               "workspace_bytes", "fused", "reason"}));
        EXPECT_EQ(layer["layer"], layers[i]["key"]);
        EXPECT_EQ(layer["node"], layers[i]["name"]);
        EXPECT_NE(layer["implementation"], "");
        EXPECT_NE(layer["engine"], "");
        EXPECT_TRUE(layer["fused"]) << layer;
        EXPECT_GE(layer["workspace_bytes"], 0);
        any_tile = any_tile || layer["tile"] != "";
    }
    EXPECT_TRUE(any_tile);
}

TEST_F(PlanTest, TheTextSaysWhatIsNotFusedAndWhy) {
    const Answer answer = call({"plan", "efficientnet-b0", "--gpu-profile", h200, "--dtype", "f16"});
    if (answer.status == 3) GTEST_SKIP() << answer.err;
    ASSERT_EQ(answer.status, 0) << answer.err;
    EXPECT_THAT(answer.out, AllOf(HasSubstr("NVIDIA H200"), HasSubstr("workspace bytes"),
                                  HasSubstr("hand-written"), HasSubstr("not fused: ")));
}

TEST_F(PlanTest, ProfilesThatAreNoneAreRefusedWithTheirFile) {
    const std::string no_json = write("no.json", "name: H200");
    expect_refused(call({"plan", "resnet18", "--gpu-profile", no_json}), no_json, "no JSON");
    const std::string empty = write("empty.json", "");
    expect_refused(call({"plan", "resnet18", "--gpu-profile", empty}), empty, "expected a GPU profile");
    const std::string lacking = write("lacking.json", "{\"deviceName\": \"H200\"}");
    expect_refused(call({"plan", "resnet18", "--gpu-profile", lacking}), lacking, "lacks cudaDeviceId");
    auto profile = nlohmann::json::parse(text_of_file(h200));
    profile["multiProcessorCount"] = "many";
    const std::string wrong = write("wrong.json", profile.dump());
    expect_refused(call({"plan", "resnet18", "--gpu-profile", wrong}), wrong, "multiProcessorCount");
}

TEST_F(PlanTest, ATypeThatTheGpuLacksIsRefused) {
    expect_refused(call({"plan", "resnet18", "--gpu-profile", t4, "--dtype", "bf16"}), t4, "bf16");
    expect_refused(call({"plan", "resnet18", "--gpu-profile", t4, "--dtype", "tf32"}), t4, "tf32");
}

using PlanUsage = ProgramTest;

TEST_F(PlanUsage, WhatIsAskedForMustBeThere) {
    EXPECT_EQ(call({"plan", "resnet18"}).status, 2);
    EXPECT_EQ(call({"plan", "--gpu-profile", h200}).status, 2);
    EXPECT_EQ(call({"plan", "no-such-network", "--gpu-profile", h200}).status, 2);
    EXPECT_EQ(call({"plan", "resnet18", "--gpu-profile", h200, "--dtype", "f8"}).status, 2);
    EXPECT_EQ(call({"plan", "resnet18", "--gpu-profile", h200, "--batch", "0"}).status, 2);
    const Answer absent = call({"plan", "resnet18", "--gpu-profile", path("absent.json")});
    EXPECT_EQ(absent.status, 2);
    EXPECT_THAT(absent.err, AllOf(HasSubstr("absent.json"), HasSubstr("does not exist")));
    const Answer folder = call({"plan", "resnet18", "--gpu-profile", path(".")});
    EXPECT_EQ(folder.status, 2);
}

TEST_F(PlanUsage, WithoutTheModuleTheStatusIsThree) {
    const char* before = std::getenv("HACSCALE_BACKENDS");
    const std::string kept = before != nullptr ? before : "";
    setenv("HACSCALE_BACKENDS", path("nothing").c_str(), 1);
    const Answer answer = call({"plan", "resnet18", "--gpu-profile", h200});
    if (before != nullptr) {
        setenv("HACSCALE_BACKENDS", kept.c_str(), 1);
    } else {
        unsetenv("HACSCALE_BACKENDS");
    }
    EXPECT_EQ(answer.status, 3);
    EXPECT_THAT(answer.err, HasSubstr("CUDA backend's module"));
}

}  // namespace
}  // namespace hacscale::cli
