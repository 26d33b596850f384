// Every seed goes once through its fuzzer, without libFuzzer: an input that was a fault stays mended.
#include <gtest/gtest.h>

#include <filesystem>
#include <map>
#include <set>

#include "base/text/read_file.hpp"
#include "tests/fuzz/fuzzers.hpp"

namespace hacscale::fuzzing {
namespace {

const std::filesystem::path here = HACSCALE_SOURCE_DIR "/tests/fuzz";

const std::map<std::string, void (*)(std::string_view)> fuzzers{{"gain", fuzz_gain},
                                                                {"gpu_profile", fuzz_gpu_profile},
                                                                {"import", fuzz_import},
                                                                {"model", fuzz_model},
                                                                {"onnx", fuzz_onnx},
                                                                {"plan", fuzz_plan},
                                                                {"recipe", fuzz_recipe},
                                                                {"records", fuzz_records},
                                                                {"safetensors", fuzz_safetensors},
                                                                {"scores", fuzz_scores},
                                                                {"suite", fuzz_suite},
                                                                {"table", fuzz_table}};

class Seeds : public ::testing::TestWithParam<std::string> {};

TEST_P(Seeds, GoThroughTheirFuzzer) {
    std::size_t count = 0;
    for (const auto& entry : std::filesystem::directory_iterator(here / "seeds" / GetParam())) {
        const std::string bytes = read_if_there(entry.path());
        EXPECT_NO_THROW(fuzzers.at(GetParam())(bytes)) << entry.path();
        ++count;
    }
    EXPECT_GT(count, 0U);
}

std::set<std::string> names() {
    std::set<std::string> all;
    for (const auto& [name, fuzzer] : fuzzers) all.insert(name);
    return all;
}

INSTANTIATE_TEST_SUITE_P(Fuzzers, Seeds, ::testing::ValuesIn(names()),
                         [](const auto& tested) { return tested.param; });

TEST(Fuzzers, AreAllHere) {
    std::set<std::string> sources;
    for (const auto& entry : std::filesystem::directory_iterator(here)) {
        const std::string name = entry.path().filename().string();
        constexpr std::string_view ending = "_fuzzer.cpp";
        if (name.ends_with(ending)) sources.insert(name.substr(0, name.size() - ending.size()));
    }
    EXPECT_EQ(sources, names());
}

}  // namespace
}  // namespace hacscale::fuzzing
