// What comparisons come to, in at most answer_lines_at_most lines of answer_columns columns: for each network
// and budget what to do, what it brings, which strategy comes second and how many keep the base; for all of
// them how far the table can be trusted. With more comparisons each gets less: first the names of those that
// keep the base go, then each has one line.
#pragma once

#include <string>
#include <vector>

#include "records/comparison.hpp"

namespace hacscale::harness {

// ---- What an answer says of one comparison, in words ----

// Networks that gain over the base within the budget, or, below 1, that are within it: those that were measured before
// predictions, and of either most gain, or least loss, first, each network once. Of strategies that chose the same one, HACScale's stands for all, else the first.
std::vector<const records::StrategyRow*> ranked(const records::ComparisonRecord& record);

bool keeps_base(const records::ComparisonRecord& record, const records::StrategyRow& row);
std::vector<std::string> keepers_of_base(const records::ComparisonRecord& record);

// "stage 3: 64 -> 96 channels; stage 1: 3 -> 2 blocks", or, where that is longer than two lines, all widths
// in one list: "channels 16,32,64 -> 16,48,80; blocks 3,3,3 -> 2,2,3".
std::string changes_text(const records::ComparisonRecord& record, const ScalingChoice& choice);

// "stage 2: 32 -> 27 groups", where widths change the number of groups of grouped convs; else empty.
std::string group_changes_text(const records::ComparisonRecord& record, const records::StrategyRow& row);

// "latency -2.8 +- 1.3 %, utilization x1.17 +- 0.02, params x1.37".
std::string costs_text(const records::ComparisonRecord& record, const records::StrategyRow& row);
// The same and the gain, and the accuracy where it is known: "latency -2.8 +- 1.3 %, utilization x1.17 +- 0.02, params x1.37, capacity x1.31".
std::string brings_text(const records::ComparisonRecord& record, const records::StrategyRow& row);

// "in onnxruntime latency -16.3 %", for each other runtime that timed it; else empty.
std::string elsewhere_text(const records::ComparisonRecord& record, const records::StrategyRow& row);

// Whether the budget is below the base's latency, so that networks lose and do not gain.
bool shrinks(const records::ComparisonRecord& record);

// "capacity x1.31", or, of a gain that was not computed from params and MACs alone, the gain in its unit, "gain +0.213",
// or "loss 0.341" below a budget of 1.
std::string gain_text(const records::ComparisonRecord& record, const records::StrategyRow& row);

// ---- The lines of an answer ----

// What a command ends with, at most; the rest is shown on request.
constexpr std::size_t answer_lines_at_most = 20;

struct AnswerNotes {
    // Of the table, for comparisons that measured nothing.
    std::vector<VerificationRecord> verified;
    // Whole lines after everything else: where the report is, what a file has.
    std::vector<std::string> closing;
};

// How far sums of a table's layers are off whole networks measured on the device.
struct TableTrust {
    std::size_t networks = 0;
    double median_pct = 0.0;
    double worst_pct = 0.0;
    std::string worst;  // that network
};
// Of all networks that the comparisons measured, and of `verified`.
std::optional<TableTrust> table_trust(const std::vector<const records::ComparisonRecord*>& records,
                                      const std::vector<VerificationRecord>& verified);

std::vector<std::string> answer_lines(const std::vector<const records::ComparisonRecord*>& records,
                                      const AnswerNotes& notes);

// Where the table's rows of the base are noisy, a sentence that says so, to be followed by the command that
// measures them again; nothing where little of the latency comes from such rows.
std::optional<std::string> noise_warning(const records::ComparisonRecord& record);

// Utilizations above 1 say that the peak is wrong. A sentence that says so, to be followed by the
// command that measures the peak again; nothing where all is well.
std::optional<std::string> peak_warning(const records::ComparisonRecord& record);

// Whether something that should have been timed was not, here or in another runtime, or its timing stayed noisy.
bool has_gaps(const records::ComparisonRecord& record);

}  // namespace hacscale::harness
