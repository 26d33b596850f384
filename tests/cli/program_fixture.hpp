// Runs the program in-process with captured streams.
#pragma once

#include <gtest/gtest.h>
#include <stdlib.h>

#include <nlohmann/json.hpp>
#include <sstream>
#include <string>
#include <vector>

#include "cli/program.hpp"
#include "tests/harness/fixture.hpp"

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

// A folder of its own for each test.
using ProgramTest = harness::FolderTest;

}  // namespace hacscale::cli
