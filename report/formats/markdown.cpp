#include <fmt/format.h>

#include <algorithm>
#include <ostream>

#include "report/formats/formats.hpp"
#include "report/text/escape.hpp"

namespace hacscale::report {

namespace {

class MarkdownWriter {
public:
    explicit MarkdownWriter(std::ostream& out) : out_(out) {}

    void write(const Document& document) {
        out_ << "# " << markdown_escape(document.title) << "\n\n"
             << markdown_escape(document.subtitle) << "\n\n";
        for (const Answer& answer : document.answers) {
            if (!answer.title.empty()) out_ << markdown_escape(answer.title) << ":\n";
            out_ << "**" << markdown_escape(answer.sentence) << "**";
            for (const std::string* further : {&answer.standing, &answer.trust}) {
                if (!further->empty()) out_ << "\n" << markdown_escape(*further);
            }
            out_ << "\n\n";
        }
        if (!document.trust.empty()) out_ << markdown_escape(document.trust) << "\n\n";
        for (const Notice& warning : document.warnings) (*this)(warning);
        for (const Section& section : document.sections) write(section, 2);
    }

    void operator()(const Paragraph& paragraph) {
        out_ << markdown_escape(paragraph.text);
        // Commands are the program's own words, without backticks.
        if (!paragraph.command.empty()) out_ << " `" << paragraph.command << "`";
        out_ << "\n\n";
    }

    void operator()(const Notice& notice) {
        out_ << "> **Warning:** " << markdown_escape(notice.text) << "\n\n";
    }

    void operator()(const Facts& facts) {
        for (const Fact& fact : facts.entries) {
            out_ << "- **" << markdown_escape(fact.name) << "**: " << markdown_escape(fact.text) << "\n";
        }
        out_ << "\n";
    }

    void operator()(const Code& code) {
        // A fence longer than any run of backticks inside cannot be closed by the text.
        std::size_t longest = 0;
        std::size_t run = 0;
        for (const char c : code.text) {
            run = c == '`' ? run + 1 : 0;
            longest = std::max(longest, run);
        }
        const std::string fence(std::max<std::size_t>(3, longest + 1), '`');
        out_ << markdown_escape(code.title) << ":\n\n" << fence << code.language << "\n" << code.text;
        if (!code.text.ends_with('\n')) out_ << "\n";
        out_ << fence << "\n\n";
    }

    void operator()(const Chart& chart) {
        out_ << "*" << markdown_escape(chart.title)
             << "* (drawn in report.html): " << markdown_escape(chart.summary) << "\n\n";
    }

    void operator()(const NetworkPicker& picker) { (*this)(picker.table); }

    void operator()(const Table& table) {
        if (table.folded) {
            out_ << "<details><summary>" << html_escape(table.caption) << "</summary>\n\n";
        } else {
            out_ << markdown_escape(table.caption) << "\n\n";
        }
        std::string heading = "|";
        std::string rule = "|";
        for (const Column& column : table.columns) {
            if (column.show == Show::csv_only) continue;
            heading += fmt::format(" {} |", markdown_escape(column.heading));
            rule += column.number ? " ---: |" : " --- |";
        }
        out_ << heading << "\n" << rule << "\n";
        if (table.page_rows.empty()) {
            for (const TableRow& row : table.rows) write(table, row);
        } else {
            for (const std::size_t index : table.page_rows) write(table, table.rows[index]);
        }
        out_ << (table.folded ? "\n</details>\n\n" : "\n");
    }

private:
    void write(const Section& section, int level) {
        out_ << std::string(static_cast<std::size_t>(level), '#') << " " << markdown_escape(section.heading)
             << "\n\n";
        for (const Part& part : section.parts) std::visit(*this, part);
        for (const Section& inner : section.sections) write(inner, level + 1);
    }

    static std::string in_words(const FoldedNames& folded) {
        if (folded.names.empty()) return {};
        return folded.label.empty() ? ", " + folded.names
                                    : fmt::format(" ({}: {})", folded.label, folded.names);
    }

    void write(const Table& table, const TableRow& row) {
        out_ << "|";
        bool first = true;
        for (std::size_t i = 0; i < table.columns.size(); ++i) {
            if (table.columns[i].show == Show::csv_only) continue;
            std::string text = markdown_escape(row.cells[i].text);
            if (first) text += markdown_escape(in_words(row.folded));
            first = false;
            const char* strong = row.cells[i].best ? "**" : "";
            out_ << " " << strong << text << strong << " |";
        }
        out_ << "\n";
    }

    std::ostream& out_;
};

}  // namespace

void write_markdown(const Document& document, std::ostream& out) {
    MarkdownWriter(out).write(document);
}

}  // namespace hacscale::report
