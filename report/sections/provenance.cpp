#include <fmt/format.h>

#include "report/sections/phrases.hpp"
#include "report/sections/sections.hpp"

namespace hacscale::report {

Section provenance_section(const Scene& scene) {
    const records::Provenance& provenance = scene.records.provenance;
    Section section;
    section.heading = "Where these numbers come from";
    Facts facts;
    const auto add = [&facts](const std::string& name, const std::string& text) {
        if (!text.empty()) facts.entries.push_back({name, text});
    };
    add("Device", fmt::format("{} ({})", provenance.device.name, provenance.device.id));
    add("Device fingerprint", provenance.device.fingerprint);
    for (const auto& [name, value] : records::named_properties(provenance.device))
        add("Device: " + name, value);
    for (const auto& [name, value] : named_settings(provenance)) add("Setting: " + name, value);
    add("Program", provenance.program + " " + provenance.version);
    add("Command", provenance.command);
    add("Suite", provenance.suite);
    add("Started", provenance.started_at);
    add("Finished", provenance.finished_at);
    for (const std::string& warning : provenance.warnings) add("Warning", warning);
    if (provenance.warnings.empty()) add("Warnings", "none recorded");
    section.parts.push_back(std::move(facts));
    section.parts.push_back(
        Paragraph{"Hardware utilization = FLOPs / (latency × measured peak), FLOPs = 2 × MACs. Latency: the "
                  "median of one inference "
                  "at the stated batch; ± is half its 95 % interval. Gain: the planner’s weighted sum of "
                  "logarithms of the width, "
                  "depth and resolution ratios; the base has 0. Definitions: docs/method.md."});
    return section;
}

}  // namespace hacscale::report
