// The files of a record folder: reading and writing them, and what they were made from.
#pragma once

#include <filesystem>
#include <string>

#include "scaling/budget.hpp"

namespace hacscale::records {

// What a record of a suite's run was made from: while none of it changes, the record holds, and a run that resumes does not
// make it again.
struct InputFingerprint {
    std::string version;     // of the program
    std::string suite_hash;  // harness/suite/run_manifest.hpp
    std::string rows_hash;   // of the table's rows and peak in this state
    double seconds = 0.0;    // at most, for timing one network
    bool operator==(const InputFingerprint&) const = default;
};

// Replaces the file as a whole: a reader sees the old text or the new one, and an interrupted write leaves
// the old one. Throws WorkError naming the file when it cannot be written.
void write_record(const std::filesystem::path& file, const std::string& text);

// Makes the folder and those above it. WorkError when it cannot be made.
void make_record_folder(const std::filesystem::path& folder);

// "compare-MODEL-BUDGET.json". A model given as a file goes by its name alone.
std::string comparison_file_name(const std::string& model, const Budget& budget);

// Now, in UTC as ISO 8601: "2026-01-31T12:00:00Z".
std::string timestamp();

}  // namespace hacscale::records
