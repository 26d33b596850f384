#include "harness/measure/remedy.hpp"

#include <fmt/format.h>

#include "base/error.hpp"
#include "base/text/wording.hpp"
#include "profiler/table/import/import.hpp"
#include "profiler/timing/rounds.hpp"
#include "records/json.hpp"

namespace hacscale::harness {

namespace {

constexpr double patient_seconds = 4.0 * TimingRules{}.max_seconds;

}  // namespace

ShellCommand Remedy::profile(const std::vector<std::string>& more) const {
    if (is_imported(device)) {
        // This program cannot measure there: what is lacking comes as the other rows came.
        return {{"hacscale", "table", "import", "MORE.csv", "--table", table.string()}};
    }
    ShellCommand command{{"hacscale", "profile"}};
    command.words.insert(command.words.end(), models.begin(), models.end());
    const auto add = [&command](const std::string& option, const std::string& value) {
        command.words.push_back(option);
        command.words.push_back(value);
    };
    for (const std::string& input : inputs) {
        add("--input", input);
    }
    add("--table", table.string());
    const MeasuredState usual;
    if (device.id != "cpu") {
        add("--device", device.id);
    }
    const records::Json properties = records::Json::parse(device.properties, nullptr, false);
    if (properties.is_object() && properties.contains("threads")) {
        add("--threads", properties["threads"].dump());
    }
    if (state.batch != usual.batch) {
        add("--batch", std::to_string(state.batch));
    }
    if (state.type != usual.type) {
        add("--dtype", std::string(hacscale::name_of(state.type)));
    }
    command.words.insert(command.words.end(), more.begin(), more.end());
    return command;
}

ShellCommand Remedy::profile_noisy(std::vector<std::string> more) const {
    more.insert(more.end(), {"--remeasure-noisy", "--seconds", plain_number(patient_seconds)});
    return profile(more);
}

void require_layers(const TableView& view, const std::string& network, const Remedy& remedy) {
    const NetworkEstimate base = view.base_estimate();
    if (base.missing_layers == 0) {
        return;
    }
    throw InputError(fmt::format(
        "the table lacks {} of the {} layers of {}, {} among them; measure them by: {}", base.missing_layers,
        view.network().nodes.size(), network, base.first_missing, remedy.profile().text()));
}

}  // namespace hacscale::harness
