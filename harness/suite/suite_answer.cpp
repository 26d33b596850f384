// What a suite's run came to, in JSON and in lines.
#include <algorithm>

#include "harness/compare/answer.hpp"
#include "harness/suite/run_suite.hpp"
#include "records/json.hpp"

namespace hacscale::harness {

namespace {

records::Json names_of(const std::vector<std::filesystem::path>& files) {
    records::Json names = records::Json::array();
    for (const std::filesystem::path& file : files) {
        names.push_back(file.string());
    }
    return names;
}

// Where to look on: of a shard its tables, else the page that leads to everything.
std::vector<std::string> closing_lines_of(const SuiteOutcome& outcome, bool is_shard) {
    std::vector<std::string> lines;
    if (is_shard) {
        for (const std::filesystem::path& table : outcome.tables) {
            lines.push_back("table: " + table.string());
        }
        return lines;
    }
    if (outcome.comparisons().empty()) {
        lines.emplace_back(outcome.finished
                               ? "nothing was compared"
                               : "nothing was compared yet: the time was up before the networks were "
                                 "measured; the same command goes on");
    }
    const auto is_page = [](const std::filesystem::path& file) {
        return file.filename() == "index.html" || file.filename() == "report.html";
    };
    const auto main_page = std::find_if(outcome.files.rbegin(), outcome.files.rend(), is_page);
    if (main_page != outcome.files.rend()) {
        lines.push_back("report: " + main_page->string() + " (every row: --details)");
    }
    return lines;
}

}  // namespace

std::vector<const records::ComparisonRecord*> SuiteOutcome::comparisons() const {
    std::vector<const records::ComparisonRecord*> records;
    for (const FinishedRun& run : runs) {
        for (const records::ComparisonRecord& record : run.result.comparisons) {
            records.push_back(&record);
        }
    }
    return records;
}

std::string to_json(const SuiteOutcome& outcome, const Suite& suite, const std::optional<Shard>& shard) {
    records::Json comparisons = records::Json::array();
    for (const records::ComparisonRecord* record : outcome.comparisons()) {
        comparisons.push_back(records::Json::parse(to_json(*record)));
    }
    records::Json runs = records::Json::array();
    for (const FinishedRun& run : outcome.runs) {
        runs.push_back({{"device", run.device},
                        {"batch", run.state.batch},
                        {"dtype", hacscale::name_of(run.state.type)},
                        {"cache", hacscale::name_of(run.state.cache)},
                        {"folder", run.folder.string()},
                        {"complete", run.result.complete}});
    }
    return records::text_of({{"suite", suite.name},
                             {"suite_hash", outcome.suite_hash},
                             {"shard", shard ? records::Json(name_of(*shard)) : records::Json(nullptr)},
                             {"folder", outcome.folder.string()},
                             {"complete", outcome.complete},
                             {"warnings", outcome.warnings},
                             {"runs", std::move(runs)},
                             {"comparisons", std::move(comparisons)},
                             {"tables", names_of(outcome.tables)},
                             {"files", names_of(outcome.files)}});
}

std::vector<std::string> answer_lines(const SuiteOutcome& outcome, const std::optional<Shard>& shard) {
    return answer_lines(outcome.comparisons(), {{}, closing_lines_of(outcome, shard.has_value())});
}

}  // namespace hacscale::harness
