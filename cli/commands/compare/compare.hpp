// Parts of `hacscale scale` and `hacscale compare`: what they are asked, which network that is, and what they write besides
// their answer.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "cli/network_options.hpp"
#include "cli/options.hpp"
#include "cli/session.hpp"
#include "harness/compare/accuracies.hpp"
#include "harness/compare/choice_files.hpp"
#include "harness/compare/compare.hpp"
#include "harness/compare/elsewhere.hpp"
#include "harness/compare/stage_files.hpp"
#include "models/graph/network.hpp"
#include "records/comparison.hpp"

namespace hacscale::cli {

struct CompareOptions {
    std::string model;
    std::string table;
    std::string budget = "1";
    std::string keep;  // empty: as the model has it
    InputOptions inputs;
    std::vector<std::string> limits;  // NAME:MIN..MAX
    std::string out;
    std::string weights;   // of a model with stages
    std::string networks;  // folder for the network of every strategy
    bool as_graph = false;
    ChoiceFiles files;
    bool measure = false;
    bool details = false;
    StateOptions state;
    TimingOptions timing;
    ComparisonSettings settings;
    TrainingPlanRequest training;             // its plan is empty where none is wanted
    std::string accuracies;                   // of the user's own training
    std::vector<std::string> other_runtimes;  // NAME=COMMAND
};

// The network under test, besides its name or file.
struct Subject {
    std::optional<Network> graph;     // what is scaled as a graph
    std::optional<StageBase> stages;  // a model with stages that comes with weights
    bool has_stages = false;
};

// Throws InputError for options of the other kind of network.
Subject subject_of(const CompareOptions& options, Session& session);

// ---- Files ----

// What the last strategy chose, which is HACScale's own where it was among them, as --out names it.
void write_last(const records::ComparisonRecord& record, const Subject& subject,
                const CompareOptions& options, Session& session);
// What every strategy chose, each by its own scores, into the folder --networks.
void write_all(const records::ComparisonRecord& record, const Subject& subject, const CompareOptions& options,
               Session& session);

// ---- Other runtimes ----

// Those of --verify-on. Throws InputError for what names none, and for one that is named twice.
std::vector<OtherRuntime> other_runtimes(const CompareOptions& options);
// In each of them, the base and every choice; with random weights where there are none.
void time_elsewhere(records::ComparisonRecord& record, const Subject& subject, const CompareOptions& options,
                    const std::vector<OtherRuntime>& runtimes, Session& session);

}  // namespace hacscale::cli
