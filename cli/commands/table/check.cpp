#include "profiler/table/check.hpp"
#include "cli/commands.hpp"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <memory>

#include "base/text/lines.hpp"
#include "cli/printing/printing.hpp"
#include "records/json.hpp"

namespace hacscale::cli {

namespace {

const char* severity_name(Severity severity) {
    return severity == Severity::error ? "error" : "warning";
}

records::Json check_json(const std::string& file, const TableCheck& check) {
    records::Json findings = records::Json::array();
    for (const Finding& finding : check.findings) {
        findings.push_back({{"severity", severity_name(finding.severity)}, {"text", finding.text}});
    }
    return {{"file", file},
            {"sound", check.sound()},
            {"layers", check.layers},
            {"rows", check.rows},
            {"ok", check.ok},
            {"noisy", check.noisy},
            {"failed", check.failed},
            {"unsupported", check.unsupported},
            {"findings", std::move(findings)}};
}

void print_check(std::ostream& out, const std::string& file, const TableCheck& check) {
    out << fmt::format("{}: {} rows of {} layers: {} ok, {} noisy, {} failed, {} unsupported\n", file,
                       with_separators(check.rows), with_separators(check.layers), with_separators(check.ok),
                       with_separators(check.noisy), with_separators(check.failed),
                       with_separators(check.unsupported));
    for (const Finding& finding : check.findings) {
        out << severity_name(finding.severity) << ": " << finding.text << '\n';
    }
    out << (check.sound() ? "sound\n" : "damaged\n");
}

}  // namespace

Run declare_table_check(CLI::App& parser) {
    auto file = std::make_shared<std::string>();
    parser.add_option("table", *file, "The table's file")->required();
    return [file](Session& session) {
        const TableCheck check = check_table(*file);
        if (session.json) {
            records::print_json(session.out, check_json(*file, check));
        } else {
            print_check(session.out, *file, check);
        }
        if (!check.sound()) {
            return ExitStatus::bad_input;
        }
        const bool complete = check.noisy == 0 && check.failed == 0 && check.unsupported == 0;
        return complete ? ExitStatus::done : ExitStatus::incomplete;
    };
}

}  // namespace hacscale::cli
