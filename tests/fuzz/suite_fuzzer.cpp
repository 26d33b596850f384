// A suite. What is read has states and a hash, by which its records are kept.
#include "harness/suite/run_manifest.hpp"
#include "harness/suite/suite.hpp"
#include "tests/fuzz/fuzz.hpp"
#include "tests/fuzz/fuzzers.hpp"

namespace hacscale::fuzzing {

void fuzz_suite(std::string_view bytes) {
    const auto suite = accepted(bytes, [&] { return harness::parse_suite(bytes, "fuzzed.yaml", folder()); });
    if (!suite) return;
    require(!harness::states_of(*suite).empty(), "a suite has no state to measure in");
    require(!harness::suite_hash(*suite).empty(), "a suite has no hash");
}

}  // namespace hacscale::fuzzing
