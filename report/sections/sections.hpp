// The table of sections: what the report is made of, in order. To add one: write sections/NAME.cpp, declare
// its builder here and enter it in section_table() (sections.cpp); every format and the tests over the table
// take it from there.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "records/run_folder.hpp"
#include "report/document/document.hpp"

namespace hacscale::report {

enum class Scope {
    model,    // once a model, from its first comparison (the smallest budget)
    budget,   // once a model and budget
    run,      // once
    opening,  // once, before the models
};

// What a section is built from. `comparison` is null for sections of the whole run.
struct Scene {
    const records::RunRecords& records;
    const records::ComparisonRecord* comparison;
};

struct SectionEntry {
    std::string_view id;
    Scope scope;
    Section (*build)(
        const Scene& scene);  // without id; when the records lack what it needs, it says what makes them
};

std::span<const SectionEntry> section_table();

Section summary_section(const Scene& scene);
Section strategies_section(const Scene& scene);
Section verdict_section(const Scene& scene);
Section front_section(const Scene& scene);
Section contributions_section(const Scene& scene);
Section network_section(const Scene& scene);
Section layer_differences_section(const Scene& scene);
Section kernels_section(const Scene& scene);
Section accuracy_section(const Scene& scene);
Section roofline_section(const Scene& scene);
Section staircases_section(const Scene& scene);
Section prediction_section(const Scene& scene);
Section measurements_section(const Scene& scene);
Section provenance_section(const Scene& scene);

// What to do with the model at this budget, or why there is no answer.
Answer answer_of(const records::ComparisonRecord& comparison);

// Of many models and budgets: what the choices have in common.
Answer answer_of_all(const std::vector<records::ComparisonRecord>& comparisons, const DeviceRecord& device);

// How far predictions were off over the run's networks, in a sentence.
std::string trust_in_table(const records::RunRecords& records);

Document build_document(const records::RunRecords& records);

}  // namespace hacscale::report
