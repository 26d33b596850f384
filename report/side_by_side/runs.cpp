// What each letter stands for, and what to know before trusting ratios between them.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "report/document/document.hpp"
#include "report/networks.hpp"
#include "report/side_by_side/side_by_side.hpp"
#include "report/text/numbers.hpp"

namespace hacscale::report {

namespace {

// One fact of a run, in the order in which they are shown.
using RunFacts = std::vector<std::pair<std::string, std::string>>;

RunFacts facts_of(const records::RunRecords& run) {
    const records::Provenance& provenance = run.provenance;
    RunFacts facts{{"Device", fmt::format("{} ({})", provenance.device.name, provenance.device.id)},
                   {"Device fingerprint", provenance.device.fingerprint}};
    for (const auto& [name, value] : named_settings(provenance))
        facts.emplace_back("Setting: " + name, value);
    for (const auto& [name, value] : records::named_properties(provenance.device)) {
        facts.emplace_back("Device: " + name, value);
    }
    facts.emplace_back("Program", provenance.program + " " + provenance.version);
    facts.emplace_back("Command", provenance.command);
    facts.emplace_back("Suite", provenance.suite);
    facts.emplace_back("Finished", provenance.finished_at);
    facts.emplace_back("Rows measured", run.rows ? whole(static_cast<double>(run.rows->size())) : "");
    facts.emplace_back("Warnings", whole(static_cast<double>(provenance.warnings.size())));
    facts.emplace_back("Folder", run.folder.string());
    return facts;
}

std::string value_of(const RunFacts& facts, const std::string& name) {
    const auto found =
        std::find_if(facts.begin(), facts.end(), [&](const auto& fact) { return fact.first == name; });
    return found == facts.end() ? std::string() : found->second;
}

// Of any run, each once; what the first has stays as it has it.
std::vector<std::string> names_in(const std::vector<RunFacts>& runs) {
    std::vector<std::string> names;
    for (const RunFacts& facts : runs) {
        for (const auto& [name, value] : facts) {
            if (std::find(names.begin(), names.end(), name) == names.end()) names.push_back(name);
        }
    }
    return names;
}

Table facts_table(const Runs& runs) {
    Table table;
    table.caption = "The runs, by the letters that stand for them below; rows that differ are tinted.";
    table.csv_file = "runs.csv";
    table.columns = {{"Run", "fact", false}};
    std::vector<RunFacts> all;
    for (std::size_t i = 0; i < runs.size(); ++i) {
        table.columns.push_back({letter_of(i), std::string(1, static_cast<char>('a' + i)), false});
        all.push_back(facts_of(runs[i]));
    }
    for (const std::string& name : names_in(all)) {
        TableRow row;
        row.cells.push_back(text_cell(name));
        bool differs = false;
        for (const RunFacts& facts : all) {
            const std::string value = value_of(facts, name);
            differs = differs || value != value_of(all.front(), name);
            row.cells.push_back(text_cell(value));
        }
        row.mark = differs ? RowMark::own_choice : RowMark::none;
        table.rows.push_back(std::move(row));
    }
    return table;
}

std::string setting_of(const records::RunRecords& run, const std::string& name) {
    for (const auto& [key, value] : named_settings(run.provenance)) {
        if (key == name) {
            return value;
        }
    }
    return "not said";
}

// Latencies of different settings are not those of one thing.
void add_differing_settings(const Runs& runs, Section& section) {
    for (const char* name : {"batch", "dtype", "cache", "threads"}) {
        std::vector<std::string> values;
        for (const records::RunRecords& run : runs) values.push_back(setting_of(run, name));
        const bool one = std::all_of(values.begin(), values.end(),
                                     [&](const std::string& value) { return value == values.front(); });
        if (one) continue;
        section.parts.push_back(
            Notice{fmt::format("The runs differ in {} ({}): ratios compare that as well as the devices.",
                               name, fmt::join(values, "; "))});
    }
}

}  // namespace

Section runs_section(const Runs& runs) {
    Section section{.id = "runs", .heading = "What is compared", .parts = {}, .sections = {}};
    add_differing_settings(runs, section);
    section.parts.push_back(facts_table(runs));
    return section;
}

}  // namespace hacscale::report
