// What can be wrong with a table: the file itself, its rows, and what a reader of its figures should know.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace hacscale {

enum class Severity {
    warning,  // figures are usable with care: noisy rows, a missing peak
    error,    // the file is damaged, or a row contradicts itself
};

struct Finding {
    Severity severity = Severity::warning;
    std::string text;
};

struct TableCheck {
    std::vector<Finding> findings;  // at most 20 of one sort, then one that counts the rest
    std::int64_t layers = 0;
    std::int64_t rows = 0;
    std::int64_t ok = 0;
    std::int64_t noisy = 0;
    std::int64_t failed = 0;
    std::int64_t unsupported = 0;

    bool sound() const;  // no finding is an error
};

// Reads the whole file. Throws InputError where Table::open would: then there is no table to check.
TableCheck check_table(const std::filesystem::path& file);

}  // namespace hacscale
