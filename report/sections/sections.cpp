#include "report/sections/sections.hpp"

#include <fmt/format.h>

#include <array>

#include "report/document/document.hpp"
#include "report/sections/phrases.hpp"
#include "report/text/numbers.hpp"

namespace hacscale::report {

std::span<const SectionEntry> section_table() {
    static constexpr std::array table{
        SectionEntry{"summary", Scope::opening, summary_section},
        SectionEntry{"strategies", Scope::budget, strategies_section},
        SectionEntry{"verdict", Scope::budget, verdict_section},
        SectionEntry{"accuracy", Scope::budget, accuracy_section},
        SectionEntry{"front", Scope::budget, front_section},
        SectionEntry{"contributions", Scope::budget, contributions_section},
        SectionEntry{"network", Scope::budget, network_section},
        SectionEntry{"layer-differences", Scope::budget, layer_differences_section},
        SectionEntry{"roofline", Scope::budget, roofline_section},
        SectionEntry{"kernels", Scope::budget, kernels_section},
        SectionEntry{"staircases", Scope::model, staircases_section},
        SectionEntry{"prediction", Scope::run, prediction_section},
        SectionEntry{"measurements", Scope::run, measurements_section},
        SectionEntry{"provenance", Scope::run, provenance_section},
    };
    return table;
}

namespace {

// Of more answers than these, one of all of them comes first.
constexpr std::size_t max_answers_alone = 2;

void add_sections(Scope scope, const Scene& scene, const std::string& id_suffix,
                  std::vector<Section>& sections) {
    for (const SectionEntry& entry : section_table()) {
        if (entry.scope != scope) continue;
        Section section = entry.build(scene);
        section.id = std::string(entry.id) + id_suffix;
        sections.push_back(std::move(section));
    }
}

}  // namespace

Document build_document(const records::RunRecords& records) {
    const records::Provenance& provenance = records.provenance;
    Document document;
    document.title = "HACScale report";
    document.subtitle = fmt::format("{} ({})", provenance.device.name, provenance.device.id);
    for (const auto& [name, value] : named_settings(provenance)) {
        // A CPU's name says its threads, and a GPU has none.
        if (name != "threads") document.subtitle += fmt::format(" · {} {}", name, value);
    }
    for (const std::string& warning : provenance.warnings) document.warnings.push_back({warning});
    if (const std::string doubt = doubt_about_peak(records.comparisons); !doubt.empty()) {
        document.warnings.push_back({doubt});
    }
    document.trust = trust_in_table(records);

    const std::vector<records::ComparisonRecord>& all = records.comparisons;
    const bool many = all.size() > max_answers_alone;
    if (many) document.answers.push_back(answer_of_all(all, provenance.device));
    if (!all.empty()) add_sections(Scope::opening, {records, nullptr}, "", document.sections);
    for (std::size_t i = 0; i < all.size(); ++i) {
        document.answers.push_back(answer_of(all[i]));
        const bool first_of_model = i == 0 || all[i - 1].model != all[i].model;
        if (first_of_model) {
            document.sections.push_back(
                {.id = fmt::format("model-{}", i + 1), .heading = all[i].model, .parts = {}, .sections = {}});
        }
        Section& model = document.sections.back();
        const Scene scene{records, &all[i]};
        std::string heading = at_budget(all[i].budget);
        heading.front() = static_cast<char>(heading.front() - 'a' + 'A');
        Section budget{
            .id = fmt::format("budget-{}", i + 1), .heading = heading, .parts = {}, .sections = {}};
        const Answer& answer = document.answers.back();
        if (many) {
            budget.parts.push_back(Paragraph{answer.sentence});
            const std::string further = joined(answer.standing, answer.trust);
            if (!further.empty()) budget.parts.push_back(Paragraph{further});
        }
        add_sections(Scope::budget, scene, fmt::format("-{}", i + 1), budget.sections);
        model.sections.push_back(std::move(budget));
        const bool last_of_model = i + 1 == all.size() || all[i + 1].model != all[i].model;
        if (last_of_model) {
            std::size_t first = i;
            while (first > 0 && all[first - 1].model == all[i].model) --first;
            add_sections(Scope::model, {records, &all[first]}, fmt::format("-{}", i + 1), model.sections);
        }
    }
    if (all.empty()) {
        document.sections.push_back(
            absent_section("Comparison of strategies", "compare-MODEL-BUDGET.json", "hacscale run SUITE"));
        document.sections.back().id = "comparison";
    }
    add_sections(Scope::run, {records, nullptr}, "", document.sections);
    return document;
}

}  // namespace hacscale::report
