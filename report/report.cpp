#include "report/report.hpp"

#include <ostream>
#include <sstream>

#include "report/formats/formats.hpp"
#include "report/records/loaders.hpp"
#include "report/sections/sections.hpp"

namespace hacscale::report {

namespace fs = std::filesystem;

ReportData load_report(const fs::path& folder) {
    return load_records(folder);
}

void write_html(const ReportData& data, std::ostream& out) {
    write_html(build_document(data), out);
}

void write_markdown(const ReportData& data, std::ostream& out) {
    write_markdown(build_document(data), out);
}

std::vector<fs::path> write_csv(const ReportData& data, const fs::path& folder) {
    return write_csv(build_document(data), folder);
}

std::vector<fs::path> write_report(const fs::path& folder) {
    const Document document = build_document(load_report(folder));
    std::ostringstream html;
    write_html(document, html);
    std::ostringstream markdown;
    write_markdown(document, markdown);
    replace_file(folder / "report.html", html.str());
    replace_file(folder / "report.md", markdown.str());
    std::vector<fs::path> paths{folder / "report.html", folder / "report.md"};
    for (fs::path& path : write_csv(document, folder)) paths.push_back(std::move(path));
    return paths;
}

}  // namespace hacscale::report
