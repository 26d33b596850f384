// One self-contained page: style, script, the chart library and all specifications are inside; a content
// security policy forbids everything else, the network included.
#include <fmt/format.h>

#include <ostream>

#include "report/document/document.hpp"
#include "report/formats/formats.hpp"
#include "report/formats/packed_text.hpp"
#include "report/page/resources.hpp"
#include "report/text/escape.hpp"
#include "report/text/numbers.hpp"

namespace hacscale::report {

namespace {

constexpr const char* policy =
    "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; base-uri 'none'; form-action "
    "'none'";

constexpr std::size_t max_open_warnings = 3;
constexpr std::size_t longest_line = 60;  // of a cell; longer ones wrap

class HtmlWriter {
public:
    explicit HtmlWriter(std::ostream& out) : out_(out) {}

    void write(const Document& document) {
        write_head(document);
        out_ << "<body>\n<main>\n<header>\n<p class=\"kicker\">" << html_escape(document.title)
             << "</p>\n<h1>" << html_escape(document.subtitle) << "</h1>\n";
        write_answers(document.answers);
        if (!document.trust.empty()) {
            out_ << "<p class=\"standing\">" << html_escape(document.trust) << "</p>\n";
        }
        write_warnings(document.warnings);
        out_ << "<p id=\"script-errors\" class=\"notice\" role=\"alert\" hidden></p>\n"
                "<noscript><p class=\"notice\">Charts need scripts; every number is also in the "
                "tables.</p></noscript>\n"
                "</header>\n";
        write_contents(document);
        for (const Section& section : document.sections) write(section, 2);
        out_ << "</main>\n";
        write_scripts();
        out_ << "</body>\n</html>\n";
    }

    void operator()(const Paragraph& paragraph) {
        out_ << "<p>" << html_escape(paragraph.text);
        if (!paragraph.command.empty()) out_ << " <code>" << html_escape(paragraph.command) << "</code>";
        out_ << "</p>\n";
    }

    void operator()(const Notice& notice) {
        out_ << "<p class=\"notice\"><strong>Warning:</strong> " << html_escape(notice.text) << "</p>\n";
    }

    void operator()(const Facts& facts) {
        out_ << "<dl>\n";
        for (const Fact& fact : facts.entries) {
            out_ << "<div><dt>" << html_escape(fact.name) << "</dt><dd>" << html_escape(fact.text)
                 << "</dd></div>\n";
        }
        out_ << "</dl>\n";
    }

    void operator()(const Code& code) {
        out_ << "<details><summary>" << html_escape(code.title) << "</summary>\n<pre tabindex=\"0\"><code>"
             << html_escape(code.text) << "</code></pre></details>\n";
    }

    void operator()(const Chart& chart) {
        const int number = ++charts_;
        const ChartFrames::Packed packed = frames_.pack(chart.spec);
        if (!packed.new_frame.empty()) {
            out_ << fmt::format("<script type=\"application/json\" id=\"frame-{}\">", packed.frame)
                 << script_escape(packed.new_frame) << "</script>\n";
        }
        out_ << "<figure>\n<figcaption><strong>" << html_escape(chart.title) << "</strong> <span>"
             << html_escape(chart.summary) << "</span></figcaption>\n";
        if (!chart.legend.empty()) {
            out_ << "<ul class=\"legend\" aria-label=\"Legend\">";
            for (const LegendEntry& entry : chart.legend) {
                out_ << "<li><i class=\"" << html_escape(entry.swatch) << "\" aria-hidden=\"true\"></i>"
                     << html_escape(entry.text) << "</li>";
            }
            out_ << "</ul>\n";
        }
        out_ << fmt::format("<div class=\"chart\" id=\"chart-{0}\" role=\"img\" aria-label=\"{1}\"></div>\n",
                            number, html_escape(chart.title + ". " + chart.summary))
             << fmt::format(
                    "<script type=\"application/gzip\" data-chart=\"chart-{}\" data-frame=\"frame-{}\">",
                    number, packed.frame)
             << packed_text(packed.contents) << "</script>\n</figure>\n";
    }

    void operator()(const NetworkPicker& picker) {
        const int number = ++pickers_;
        out_ << fmt::format("<div data-networks=\"networks-{}\">\n", number);
        (*this)(picker.table);
        out_ << "</div>\n"
             << fmt::format("<script type=\"application/gzip\" id=\"networks-{}\">", number)
             << packed_text(picker.data) << "</script>\n";
    }

    void operator()(const Table& table) {
        if (table.folded) out_ << "<details><summary>" << html_escape(table.caption) << "</summary>\n";
        // The box scrolls, so it must be reachable by keyboard and have a name.
        out_ << "<div class=\"scroll\" role=\"region\" tabindex=\"0\" aria-label=\""
             << html_escape(table.caption) << "\">\n<table>\n<caption"
             << (table.folded ? " class=\"unseen\"" : "") << "><span>" << html_escape(table.caption)
             << "</span></caption>\n<thead><tr>";
        for (const Column& column : table.columns) {
            if (column.show == Show::csv_only) continue;
            out_ << "<th scope=\"col\"" << (column.number ? " class=\"n\"" : "") << ">"
                 << html_escape(column.heading) << "</th>";
        }
        out_ << "</tr></thead>\n<tbody>\n";
        if (table.page_rows.empty()) {
            for (const TableRow& row : table.rows) write(table, row);
        } else {
            for (const std::size_t index : table.page_rows) write(table, table.rows[index]);
        }
        out_ << "</tbody>\n</table>\n</div>\n" << (table.folded ? "</details>\n" : "");
    }

private:
    void write_head(const Document& document) {
        out_ << "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
             << fmt::format("<meta http-equiv=\"Content-Security-Policy\" content=\"{}\">\n", policy)
             << "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
                "<meta name=\"color-scheme\" content=\"light dark\">\n"
             << "<title>" << html_escape(document.title + ": " + document.subtitle) << "</title>\n<style>\n"
             << resources::style() << "</style>\n</head>\n";
    }

    void write_answers(const std::vector<Answer>& answers) {
        bool listed = false;
        for (const Answer& answer : answers) {
            if (!answer.title.empty() && !listed) out_ << "<ul class=\"answers\">\n";
            listed = listed || !answer.title.empty();
            if (listed) out_ << "<li><p class=\"question\">" << html_escape(answer.title) << "</p>";
            out_ << "<p class=\"answer\">" << html_escape(answer.sentence) << "</p>";
            const std::string further = joined(answer.standing, answer.trust);
            if (!further.empty()) out_ << "<p class=\"standing\">" << html_escape(further) << "</p>";
            out_ << (listed ? "</li>\n" : "\n");
        }
        if (listed) out_ << "</ul>\n";
    }

    // Many are folded, so that they do not push the report out of sight.
    void write_warnings(const std::vector<Notice>& warnings) {
        if (warnings.size() <= max_open_warnings) {
            for (const Notice& warning : warnings) (*this)(warning);
            return;
        }
        out_ << fmt::format(
            "<details class=\"notice\"><summary><strong>{} warnings</strong> to read before "
            "trusting the numbers</summary>\n<ul>\n",
            warnings.size());
        for (const Notice& warning : warnings) out_ << "<li>" << html_escape(warning.text) << "</li>\n";
        out_ << "</ul>\n</details>\n";
    }

    void write_contents(const Document& document) {
        out_ << "<nav aria-label=\"Contents\"><ul>\n";
        for (const Section& section : document.sections) {
            out_ << fmt::format("<li><a href=\"#{}\">{}</a>", section.id, html_escape(section.heading));
            if (!section.sections.empty()) {
                out_ << "<ul>";
                for (const Section& inner : section.sections) {
                    out_ << fmt::format("<li><a href=\"#{}\">{}</a></li>", inner.id,
                                        html_escape(inner.heading));
                }
                out_ << "</ul>";
            }
            out_ << "</li>\n";
        }
        out_ << "</ul></nav>\n";
    }

    void write(const Section& section, int level) {
        out_ << fmt::format(
            "<section id=\"{0}\"{3} aria-labelledby=\"{0}-heading\">\n<h{1} id=\"{0}-heading\">{2}</h{1}>\n",
            section.id, level, html_escape(section.heading),
            section.sections.empty() ? " class=\"leaf\"" : "");
        ChartSize row = ChartSize::full;  // of the charts that share the row being written
        const auto change_row = [&](ChartSize size) {
            if (size == row) return;
            if (row != ChartSize::full) out_ << "</div>\n";
            if (size != ChartSize::full) {
                out_ << fmt::format("<div class=\"{}\">\n", size == ChartSize::half ? "halves" : "panels");
            }
            row = size;
        };
        for (const Part& part : section.parts) {
            const Chart* chart = std::get_if<Chart>(&part);
            change_row(chart == nullptr ? ChartSize::full : chart->size);
            std::visit(*this, part);
        }
        change_row(ChartSize::full);
        for (const Section& inner : section.sections) write(inner, level + 1);
        out_ << "</section>\n";
    }

    void write(const FoldedNames& folded) {
        if (folded.names.empty()) return;
        if (folded.label.empty()) {
            out_ << ", " << html_escape(folded.names);
        } else {
            out_ << "<details class=\"names\"><summary>" << html_escape(folded.label) << "</summary>"
                 << html_escape(folded.names) << "</details>";
        }
    }

    void write(const Table& table, const TableRow& row) {
        static constexpr const char* class_attributes[] = {"", " class=\"base\"", " class=\"own\"",
                                                           " class=\"excluded\"", " class=\"unchanged\""};
        out_ << "<tr" << class_attributes[static_cast<int>(row.mark)] << ">";
        bool first = true;
        for (std::size_t i = 0; i < table.columns.size(); ++i) {
            const Column& column = table.columns[i];
            if (column.show == Show::csv_only) continue;
            const std::string text = html_escape(row.cells[i].text);
            const std::string marked = row.cells[i].best ? "<strong>" + text + "</strong>" : text;
            const bool is_long = !column.number && row.cells[i].text.size() > longest_line;
            const char* number = column.number ? " class=\"n\"" : is_long ? " class=\"long\"" : "";
            // HTML lets a cell end where the next one begins, which saves a page of many tables some of its
            // size.
            out_ << (first ? fmt::format("<th scope=\"row\"{}>{}", number, marked)
                           : fmt::format("<td{}>{}", number, marked));
            if (first) write(row.folded);
            first = false;
        }
        out_ << "</tr>\n";
    }

    // Scripts come last, so that the tables stand before the chart library is read.
    void write_scripts() {
        if (charts_ > 0) {
            out_ << "<script>\n" << resources::module_registry();
            for (const resources::Module& module : resources::chart_library()) {
                out_ << fmt::format("\nchart_modules.define(\"{}\", function (module, exports, require) {{\n",
                                    module.name)
                     << module.text << "\n});\n";
            }
            out_ << "</script>\n";
        }
        out_ << "<script>\n" << resources::page_script() << "</script>\n";
    }

    std::ostream& out_;
    int charts_ = 0;
    int pickers_ = 0;
    ChartFrames frames_;
};

}  // namespace

void write_html(const Document& document, std::ostream& out) {
    HtmlWriter(out).write(document);
}

}  // namespace hacscale::report
