#include "cli/measuring/remedy.hpp"

#include <fmt/format.h>

#include "base/text/plain_number.hpp"
#include "cli/print_json.hpp"
#include "profiler/timing/timing_rules.hpp"

namespace hacscale::cli {

namespace {

constexpr double patient_seconds = 4.0 * TimingRules{}.most_seconds;

std::string shell_word(const std::string& word) {
    return word.find(' ') == std::string::npos ? word : "'" + word + "'";
}

std::string command(const Remedy& remedy, const std::filesystem::path& table, const std::string& more) {
    std::string text =
        fmt::format("hacscale profile {} --table {}", shell_word(remedy.model), shell_word(table.string()));
    const MeasuredState usual;
    if (remedy.device.id != "cpu") {
        text += " --device " + remedy.device.id;
    }
    const Json properties = Json::parse(remedy.device.properties, nullptr, false);
    if (properties.is_object() && properties.contains("threads")) {
        text += " --threads " + properties["threads"].dump();
    }
    if (remedy.state.batch != usual.batch) {
        text += fmt::format(" --batch {}", remedy.state.batch);
    }
    if (remedy.state.type != usual.type) {
        text += fmt::format(" --dtype {}", hacscale::name_of(remedy.state.type));
    }
    return text + (more.empty() ? "" : " " + more);
}

}  // namespace

std::string Remedy::profile(const std::string& more) const {
    return command(*this, table, more);
}

std::string Remedy::profile_noisy() const {
    std::filesystem::path again = table;
    again.replace_filename(table.stem().string() + "-again" + table.extension().string());
    return command(*this, again, "--seconds " + plain_number(patient_seconds));
}

}  // namespace hacscale::cli
