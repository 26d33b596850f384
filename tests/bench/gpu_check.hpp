// bench/gpu-check in a folder of its own, with programs that only write down how they were called.
#pragma once

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>

#include "tests/shell.hpp"
#include "tests/temp_folder.hpp"

namespace hacscale {

inline std::string text_of(const std::filesystem::path& file) {
    std::stringstream text;
    text << std::ifstream(file).rdbuf();
    return text.str();
}

class GpuCheck : public ::testing::Test {
protected:
    GpuCheck() {
        program("hacscale", R"(
case "$1" in
devices) echo '{"id": "cuda:0"}' ;;
run) while [ $# -gt 1 ]; do [ "$1" = --out ] && mkdir -p "$2" && touch "$2/table.db"; shift; done ;;
profile) while [ $# -gt 1 ]; do [ "$1" = --table ] && touch "$2"; shift; done ;;
esac)");
        for (const char* name : {"tests/gpu_tests", "bench/time_network", "bench/cuda_layers"}) {
            program(name, "");
        }
    }

    // A program that writes its arguments to calls.txt and then does what `body` says.
    void program(const std::string& name, const std::string& body) const {
        const std::filesystem::path file = folder_ / "build" / name;
        std::filesystem::create_directories(file.parent_path());
        std::ofstream(file) << "#!/bin/bash\necho " << name << " \"$@\" >>" << folder_ / "calls.txt"
                            << "\n"
                            << body << "\n";
        std::filesystem::permissions(file, std::filesystem::perms::owner_all);
    }

    Answer check(const std::string& arguments, const std::string& environment = "") const {
        return answer_of("cd '" + folder_.path().string() + "' && HACSCALE_BUILD='" +
                         (folder_ / "build").string() + "' " + environment +
                         " '" HACSCALE_SOURCE_DIR "/bench/gpu-check' --peers none " + arguments);
    }

    // What was called since the last time this was asked.
    std::string calls() const {
        const std::filesystem::path file = folder_ / "calls.txt";
        const std::string text = text_of(file);
        std::filesystem::remove(file);
        return text;
    }

    testing::TempFolder folder_;
};

}  // namespace hacscale
