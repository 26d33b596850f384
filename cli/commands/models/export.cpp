#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <memory>

#include "base/text/lines.hpp"
#include "cli/commands.hpp"
#include "cli/printing/printing.hpp"
#include "models/formats/formats.hpp"
#include "models/stages/lowering.hpp"
#include "models/zoo/zoo.hpp"
#include "records/json.hpp"
#include "records/record_file.hpp"

namespace hacscale::cli {

namespace {

struct ModelExportOptions {
    std::string model;
    std::string format = "pytorch";
    std::string out;
};

ExitStatus export_model(const ModelExportOptions& options, Session& session) {
    const ModelSpec model = find_model(options.model);
    const Graph network = lower(model);
    const std::string code = pytorch_code(model);
    if (!options.out.empty()) {
        records::write_record(options.out, code);
    }
    if (session.json) {
        records::Json answer{{"model", model.name},        {"model_hash", model_hash(model)},
                             {"format", options.format},   {"class", pytorch_class_name(model)},
                             {"params", network.params()}, {"macs", network.macs()}};
        answer[options.out.empty() ? "code" : "out"] = options.out.empty() ? code : options.out;
        records::print_json(session.out, answer);
    } else if (options.out.empty()) {
        session.out << code;
    } else {
        session.out << fmt::format("{}: {} as the class {}, {} params, {} MACs\n", options.out, model.name,
                                   pytorch_class_name(model), with_separators(network.params()),
                                   with_separators(network.macs()));
    }
    return ExitStatus::done;
}

}  // namespace

Run declare_models_export(CLI::App& parser) {
    auto options = std::make_shared<ModelExportOptions>();
    parser.add_option("model", options->model, "A name of the zoo, or a YAML file")->required();
    parser.add_option("--format", options->format, "pytorch")
        ->check(CLI::IsMember({"pytorch"}))
        ->capture_default_str();
    parser.add_option("--out", options->out, "The file to write; else the answer has the code");
    return [options](Session& session) { return export_model(*options, session); };
}

}  // namespace hacscale::cli
