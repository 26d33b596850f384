// A CUPTI whose functions write down that they were called, deliver the records that a fake network leaves,
// and fail where a test wants them to. CUPTI's functions carry no user data, so its state is the process's.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "kernels/cuda/cupti/cupti_library.hpp"
#include "tests/kernels/cuda/cupti/record_buffer.hpp"

namespace hacscale::tests {

struct FakeCupti {
    std::vector<std::string> calls;        // of the range profiler, in order
    std::string failing_call;              // the call that fails, with
    CUptiResult failure = CUPTI_SUCCESS;   // this result
    std::size_t passes = 2;                // that the counters need
    std::vector<std::string> ranges;       // pushed in the first pass of a set
    std::size_t dropped_ranges = 0;        // of the last ones
    double value = 50.0;                   // of every metric, plus its range's index, but for
    std::map<std::string, double> values;  // those of these names, which have this value
    bool enabled = false;                  // the range profiler
    int enabled_activities = 0;
    RecordBuffer records;
    std::vector<std::uint64_t> external_ids;  // the stack
    std::uint32_t correlation = 0;
    std::size_t dropped_records = 0;  // to be told once

    std::size_t passes_run = 0;

    // A kernel as a layer that is run now would launch it.
    void launch(const char* name, std::uint64_t duration_ns);
};

FakeCupti& fake_cupti();
// Forgets all, and gives functions that act on fake_cupti(). Records are read by the real library's function.
cupti::CuptiLibrary make_fake_cupti();

}  // namespace hacscale::tests
