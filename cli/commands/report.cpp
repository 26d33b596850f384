// `hacscale report FOLDER`: the records of a run as a page, as Markdown and as CSV.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <filesystem>
#include <memory>

#include "base/error.hpp"
#include "cli/commands.hpp"
#include "cli/plan_options.hpp"
#include "harness/compare/accuracies.hpp"
#include "harness/compare/given_accuracies.hpp"
#include "records/json.hpp"
#include "records/run_folder.hpp"
#include "report/report.hpp"

namespace hacscale::cli {

namespace {

namespace fs = std::filesystem;

constexpr const char* side_by_side_folder = "out/side-by-side";

struct ReportOptions {
    std::vector<std::string> sources;
    std::string out;
    TrainingPlanRequest training;  // its plan is empty where none is wanted
    std::string accuracies;
};

// What each argument stands for: a table, a folder of records, or all folders of records below it.
std::vector<fs::path> sources_of(const std::vector<std::string>& arguments) {
    std::vector<fs::path> sources;
    for (const fs::path argument : arguments) {
        if (fs::is_regular_file(argument)) {
            sources.push_back(argument);
            continue;
        }
        const std::vector<fs::path> folders = records::record_folders(argument);
        if (folders.empty()) {
            sources.push_back(argument);  // reading it says what is missing
        }
        sources.insert(sources.end(), folders.begin(), folders.end());
    }
    for (std::size_t i = 0; i < sources.size(); ++i) {
        for (std::size_t j = 0; j < i; ++j) {
            if (fs::weakly_canonical(sources[i]) == fs::weakly_canonical(sources[j])) {
                throw InputError(fmt::format("{}: is named twice", sources[i].string()));
            }
        }
    }
    return sources;
}

// The rows of the table beside the records, in the run's state, where these have none written out.
records::RunRecords load_source(const fs::path& source) {
    if (fs::is_regular_file(source)) {
        return records::records_of(Table::open(source, OpenMode::read));
    }
    records::RunRecords data = records::load_records(source);
    if (!data.rows && fs::is_regular_file(source / "table.db")) {
        std::vector<records::MeasuredRow> rows =
            records::measured_rows(Table::open(source / "table.db", OpenMode::read));
        std::erase_if(rows, [&data](const records::MeasuredRow& row) {
            const auto of_another = [&row](const auto& setting) {
                const auto& [name, value] = setting;
                return (name == "batch" && value != std::to_string(row.batch)) ||
                       (name == "dtype" && value != row.dtype) || (name == "cache" && value != row.cache);
            };
            const auto settings = named_settings(data.provenance);
            return std::any_of(settings.begin(), settings.end(), of_another);
        });
        records::add_rows(data, std::move(rows));
    }
    return data;
}

std::vector<fs::path> write_one(const fs::path& source, const ReportOptions& options, Session& session) {
    if (fs::is_regular_file(source)) {
        throw InputError(
            fmt::format("{}: is one file; name the folder that \"hacscale run\" wrote, or a second table to "
                        "set beside it",
                        source.string()));
    }
    const TrainingPlanRequest& training = options.training;
    const bool planned = !training.plan.empty();
    // A plan's records may not be there yet, and then the folder keeps the accuracies that it has.
    if (!training.record.empty() && (!planned || fs::exists(training.record))) {
        add_accuracies_in_folder(source, KnownAccuracies(training.record, training.recipe, false), session);
    } else if (!options.accuracies.empty()) {
        add_accuracies_in_folder(source, GivenAccuracies(options.accuracies), session);
    }
    const records::RunRecords data = load_source(source);
    if (planned && data.comparisons.empty()) {
        throw InputError(
            fmt::format("{}: has no comparisons (compare-*.json), whose networks a training plan could name",
                        source.string()));
    }
    std::vector<fs::path> files =
        report::write_report(data, options.out.empty() ? source : fs::path(options.out));
    if (planned) {
        write_plan(data.comparisons, training, session);
        files.push_back(training.plan);
    }
    return files;
}

fs::path folder_for_many(const ReportOptions& options) {
    if (!options.out.empty()) {
        return options.out;
    }
    // One argument that holds several runs: the page is written into its folder, above them.
    return options.sources.size() == 1 ? fs::path(options.sources.front()) : fs::path(side_by_side_folder);
}

ExitStatus report_sources(const ReportOptions& options, Session& session) {
    if (!options.training.plan.empty()) {
        check(options.training);
    }
    const std::vector<fs::path> sources = sources_of(options.sources);
    std::vector<fs::path> files;
    if (sources.size() == 1) {
        files = write_one(sources.front(), options, session);
    } else if (!options.training.record.empty() || !options.accuracies.empty() ||
               !options.training.plan.empty()) {
        throw InputError(
            "--record, --accuracies and --train are about the comparisons of one folder; name one");
    } else {
        std::vector<records::RunRecords> runs;
        std::transform(sources.begin(), sources.end(), std::back_inserter(runs), load_source);
        files = report::write_side_by_side(runs, folder_for_many(options));
    }
    records::Json names = records::Json::array();
    for (const fs::path& file : files) {
        names.push_back(file.string());
    }
    if (session.json) {
        records::Json folders = records::Json::array();
        for (const fs::path& source : sources) {
            folders.push_back(source.string());
        }
        records::print_json(
            session.out,
            {{"folder", files.front().parent_path().string()}, {"sources", folders}, {"files", names}});
    } else {
        for (const records::Json& name : names) {
            session.out << name.get<std::string>() << '\n';
        }
    }
    return ExitStatus::done;
}

}  // namespace

Run declare_report(CLI::App& parser) {
    auto options = std::make_shared<ReportOptions>();
    parser
        .add_option("source", options->sources,
                    "The folder with the records of a run; several, or tables, to set them side by side")
        ->required();
    parser.add_option("--out", options->out, "The folder to write into");
    TrainingPlanRequest& training = options->training;
    CLI::Option* train = add_plan_options(parser, training);
    parser
        .add_option("--strategies", training.strategies,
                    "Whose choices the plan has, separated by commas; else all")
        ->delimiter(',')
        ->needs(train);
    CLI::Option* record = parser.add_option("--record", training.record,
                                            "Accuracy records to enter into the folder's comparisons first; "
                                            "with --train, what the plan's runs enter");
    const CLI::Option* recipe =
        parser.add_option("--recipe", training.recipe, "Recipe of the accuracies: a name or a YAML file")
            ->capture_default_str();
    parser
        .add_option("--accuracies", options->accuracies,
                    "Accuracies of your own training to enter instead: CSV or JSON")
        ->excludes(train)
        ->excludes(record);
    return [options, recipe](Session& session) {
        if (recipe->count() > 0 && options->training.record.empty() && options->training.plan.empty()) {
            throw InputError("--recipe is that of --record and --train; give one of them");
        }
        return report_sources(*options, session);
    };
}

}  // namespace hacscale::cli
