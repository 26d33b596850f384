// Runs the program in-process with captured streams.
#pragma once

#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>
#include <string>
#include <vector>

#include "cli/program.hpp"

namespace hacscale::cli {

struct Answer {
    int status = 0;
    std::string out;
    std::string err;
    nlohmann::json json() const { return nlohmann::json::parse(out); }
};

inline bool done_or_noisy(const Answer& answer) {
    return answer.status == 0 || answer.status == 4;
}

inline Answer call(const std::vector<std::string>& arguments) {
    std::vector<const char*> argv{"hacscale"};
    for (const std::string& argument : arguments) {
        argv.push_back(argument.c_str());
    }
    // No test waits for another measurement on this machine; what cores are taken is tested elsewhere.
    ::setenv("HACSCALE_CORE_LOCKS", "", 1);
    std::ostringstream out;
    std::ostringstream err;
    const int status = run(static_cast<int>(argv.size()), argv.data(), out, err);
    return {status, out.str(), err.str()};
}

// A folder of its own for each test, gone after it.
class ProgramTest : public ::testing::Test {
protected:
    ProgramTest() {
        std::string pattern = (std::filesystem::temp_directory_path() / "hacscale-cli-XXXXXX").string();
        folder_ = mkdtemp(pattern.data());
    }
    ~ProgramTest() override { std::filesystem::remove_all(folder_); }

    std::string path(const std::string& name) const { return (folder_ / name).string(); }

    std::string write(const std::string& name, const std::string& text) const {
        std::ofstream(path(name), std::ios::binary) << text;
        return path(name);
    }

private:
    std::filesystem::path folder_;
};

}  // namespace hacscale::cli
