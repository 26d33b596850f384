#include <fmt/ranges.h>
#include <spdlog/logger.h>

#include <filesystem>

#include "base/error.hpp"
#include "base/text/lines.hpp"
#include "cli/commands/compare/compare.hpp"
#include "cli/printing/printing.hpp"
#include "records/record_file.hpp"

namespace hacscale::cli {

namespace {

constexpr std::size_t message_indent = 6;  // "info: "

void tell(const std::vector<std::string>& lines, Session& session) {
    for (const std::string& line : lines) {
        session.log.info("{}",
                         fmt::join(wrapped(line, message_indent, answer_columns - message_indent), "\n"));
    }
}

// The network of one row, as the file's name says. Of a model with stages that has no weights, its YAML alone.
void write_row(const records::ComparisonRecord& record, const records::StrategyRow& row,
               const Subject& subject, const ChoiceFiles& files, Session& session) {
    if (subject.stages && !files.onnx.empty()) {
        tell(write_stage_choice(*subject.stages, record, row, files.onnx,
                                {.scores = files.scores,
                                 .opset = files.opset,
                                 .grouped_convs = files.group_rules.grouped_convs}),
             session);
    } else if (subject.has_stages && !files.onnx.empty()) {
        if (!row.choice) {
            throw WorkError(files.onnx.string() + " is not written: " + row.strategy +
                            " found no network within the budget: " + row.reason);
        }
        records::write_record(files.onnx, row.spec);
    }
    ChoiceFiles rest = files;
    if (subject.has_stages) {
        rest.onnx.clear();
    }
    if (subject.graph && rest.any()) {
        tell(write_choice(*subject.graph, record, row, rest), session);
    }
}

}  // namespace

void write_last(const records::ComparisonRecord& record, const Subject& subject,
                const CompareOptions& options, Session& session) {
    ChoiceFiles files = options.files;
    files.onnx = options.out;
    files.group_rules.grouped_convs = kept_by(options.keep);
    write_row(record, record.strategies.back(), subject, files, session);
}

void write_all(const records::ComparisonRecord& record, const Subject& subject, const CompareOptions& options,
               Session& session) {
    const std::string model = subject.graph ? subject.graph->name : record.model;
    for (const records::StrategyRow& row : record.strategies) {
        if (!row.choice || (subject.has_stages && row.spec.empty())) {
            continue;
        }
        ChoiceFiles files;
        files.onnx = std::filesystem::path(options.networks) /
                     (scaled_name(model, row.strategy, record.budget_in_names()) +
                      (subject.has_stages ? ".yaml" : ".onnx"));
        files.group_rules.grouped_convs = kept_by(options.keep);
        if (row.strategy != "l1-pruning") {
            files.scores = options.files.scores;
        }
        write_row(record, row, subject, files, session);
    }
}

}  // namespace hacscale::cli
