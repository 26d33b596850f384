// Tables merged: shards measured by several processes or on several days become one table.
#pragma once

#include <cstdint>
#include <filesystem>
#include <vector>

namespace hacscale {

struct MergeOptions {
    bool append = false;  // the output may exist; then its rows count as one more input, and it is changed in
                          // one transaction
    double tolerance = 0.0;  // each interval is widened by this share of its latency, on both sides: for
                             // machines that are one device, but not equally fast at every hour
};

struct MergeResult {
    std::int64_t rows = 0;        // in the output
    std::int64_t duplicates = 0;  // rows of inputs whose key another input (or the output) had too
};

// Of rows with one key the output keeps the one with a latency, then with more samples, then with the
// narrower interval. Of peaks it keeps the highest; verifications are merged. The result does not depend on
// the inputs' order, but for the order of verifications and which input's device properties are kept (the
// first's). Throws InputError, and writes nothing, when inputs were measured on other devices, when the
// output exists without `append`, or when latencies of one key differ by more than their 95 % intervals; the
// first 20 of those are listed. Throws WorkError when an input, or the output, is being written.
MergeResult merge_tables(const std::vector<std::filesystem::path>& inputs,
                         const std::filesystem::path& output, const MergeOptions& options = {});

}  // namespace hacscale
