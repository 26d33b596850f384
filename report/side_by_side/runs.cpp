// What each letter stands for, and what to know before trusting ratios between them.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "report/document/cells.hpp"
#include "report/side_by_side/side_by_side.hpp"

namespace hacscale::report {

namespace {

std::string setting_of(const Records& run, const std::string& name) {
    for (const auto& [setting, value] : run.provenance.settings) {
        if (setting == name) return value;
    }
    return {};
}

std::string traits_text(const std::vector<std::pair<std::string, std::string>>& traits) {
    std::vector<std::string> texts;
    for (const auto& [name, value] : traits) texts.push_back(name + " " + value);
    return fmt::format("{}", fmt::join(texts, ", "));
}

std::optional<double> rows_of(const Records& run) {
    return run.rows ? std::optional(static_cast<double>(run.rows->size())) : std::nullopt;
}

// Latencies of different settings are not those of one thing.
void add_differing_settings(const Runs& runs, Section& section) {
    for (const char* name : {"batch", "dtype", "cache", "threads"}) {
        std::vector<std::string> values;
        for (const Records& run : runs) values.push_back(setting_of(run, name));
        const bool one = std::all_of(values.begin(), values.end(),
                                     [&](const std::string& value) { return value == values.front(); });
        if (one) continue;
        for (std::string& value : values) value = value.empty() ? "not said" : value;
        section.parts.push_back(
            Notice{fmt::format("The runs differ in {} ({}): ratios compare that as well as the devices.",
                               name, fmt::join(values, "; "))});
    }
}

}  // namespace

Section runs_section(const Runs& runs) {
    Section section{.id = "runs", .heading = "What is compared", .parts = {}, .sections = {}};
    add_differing_settings(runs, section);
    Table table;
    table.caption = "The runs, by the letters that stand for them below; ratios are over A.";
    table.csv_file = "runs.csv";
    table.columns = {{"Run", "run", false},
                     {"Device", "device", false},
                     {"Settings", "settings", false},
                     {"Versions and device", "properties", false},
                     {"Fingerprint", "fingerprint", false},
                     {"Program", "program", false},
                     {"Suite", "suite", false},
                     {"Finished", "finished_at", false},
                     {"Rows measured", "rows"},
                     {"Warnings", "warnings"},
                     {"Folder", "folder", false}};
    for (std::size_t i = 0; i < runs.size(); ++i) {
        const Provenance& provenance = runs[i].provenance;
        TableRow row;
        row.cells = {text_cell(letter_of(i)),
                     text_cell(fmt::format("{} ({})", provenance.device.name, provenance.device.id)),
                     text_cell(traits_text(provenance.settings)),
                     text_cell(traits_text(provenance.device.properties)),
                     text_cell(provenance.device.fingerprint),
                     text_cell(provenance.program + " " + provenance.version),
                     text_cell(provenance.suite),
                     text_cell(provenance.finished_at),
                     number_cell(rows_of(runs[i]), whole),
                     number_cell(static_cast<double>(provenance.warnings.size()), whole),
                     text_cell(runs[i].folder.string())};
        table.rows.push_back(std::move(row));
    }
    section.parts.push_back(std::move(table));
    return section;
}

}  // namespace hacscale::report
