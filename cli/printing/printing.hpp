// What commands print with: lines and tables with aligned columns, and answers in all their rows.
#pragma once

#include <ostream>
#include <string>
#include <vector>

#include "harness/events.hpp"
#include "records/comparison.hpp"
#include "records/contributions.hpp"
#include "report/document/document.hpp"

namespace hacscale::cli {

enum class Align { left, right };

struct TextColumn {
    std::string title;
    Align align = Align::right;
};

class TextTable {
public:
    explicit TextTable(std::vector<TextColumn> columns) : columns_(std::move(columns)) {}
    void add(std::vector<std::string> cells);  // one cell a column
    void print(std::ostream& out) const;

private:
    std::vector<TextColumn> columns_;
    std::vector<std::vector<std::string>> rows_;
};

void print_lines(std::ostream& out, const std::vector<std::string>& lines);

// Stage by stage, "24/40x2" for 24, 40, 40; "-" where they follow.
std::string inner_widths_text(const ScalingChoice& choice);

void print_comparison(std::ostream& out, const records::ComparisonRecord& record);
// The verdict of a comparison for reading on a terminal: what each choice costs, what it is worth, and who
// dominates whom.
void print_verdict(std::ostream& out, const records::ComparisonRecord& record);

// What is chosen, what it brings, which steps come next, and what is interpolated or missing, in ten lines at
// most. `profile_command` measures what is missing.
std::vector<std::string> explanation_lines(const records::Explanation& explanation,
                                           const harness::ShellCommand& profile_command);

// Every step of the base and of the choice.
void print_explanation(std::ostream& out, const records::Explanation& explanation);

// A report's document on a terminal: headings, paragraphs, and tables in aligned columns. Tables that a page
// shows on request are left out.
void print_document(std::ostream& out, const report::Document& document);

}  // namespace hacscale::cli
