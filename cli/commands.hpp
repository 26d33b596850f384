// The commands of the program: one source each in cli/commands/, declared here. A command is in the program by being in the table
// that commands() returns; help, completion and the tests go over it.
#pragma once

#include <span>

#include "cli/command.hpp"
#include "models/graph/network.hpp"
#include "models/stages/model_spec.hpp"
#include "records/json.hpp"

namespace hacscale::cli {

std::span<const Command> commands();

Run declare_advise(CLI::App& parser);
Run declare_scale(CLI::App& parser);
Run declare_compare(CLI::App& parser);
Run declare_completion(CLI::App& parser);
Run declare_devices(CLI::App& parser);
Run declare_explain(CLI::App& parser);
Run declare_import(CLI::App& parser);
Run declare_importance(CLI::App& parser);
Run declare_models(CLI::App& parser);
Run declare_plan(CLI::App& parser);
Run declare_profile(CLI::App& parser);
Run declare_report(CLI::App& parser);
Run declare_run(CLI::App& parser);
Run declare_sensitivity(CLI::App& parser);
Run declare_table(CLI::App& parser);
Run declare_trace(CLI::App& parser);
Run declare_train(CLI::App& parser);
Run declare_verify(CLI::App& parser);
Run declare_export_weights(CLI::App& parser);
Run declare_import_weights(CLI::App& parser);

// Below "models" and "table", in folders of their names.
Run declare_models_export(CLI::App& parser);
Run declare_table_show(CLI::App& parser);
Run declare_table_query(CLI::App& parser);
Run declare_table_merge(CLI::App& parser);
Run declare_table_diff(CLI::App& parser);
Run declare_table_export(CLI::App& parser);
Run declare_table_import(CLI::App& parser);
Run declare_table_check(CLI::App& parser);

// A network as JSON, the answer of `models show --json`: its counts, its layers, and the graph from which
// another framework can rebuild it. The contract is in docs/formats.md.
// Activations and MACs at batch 1; bytes at this batch and data type.
records::Json model_json(const ModelSpec& model, int batch, DataType type);
// The same of a network without stages.
records::Json model_json(const Network& network, int batch, DataType type);

}  // namespace hacscale::cli
