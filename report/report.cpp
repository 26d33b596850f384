#include "report/report.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <ostream>
#include <sstream>

#include "base/error.hpp"
#include "report/formats/formats.hpp"
#include "report/records/loaders.hpp"
#include "report/sections/sections.hpp"
#include "report/side_by_side/side_by_side.hpp"

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

namespace {

constexpr int deepest_records = 3;  // a run's folder has one a device, and that one a state

void add_record_folders(const fs::path& folder, int depth, std::vector<fs::path>& found) {
    if (fs::exists(folder / "provenance.json")) {
        found.push_back(folder);
        return;
    }
    if (depth == 0) return;
    std::error_code error;
    for (const fs::directory_entry& entry : fs::directory_iterator(folder, error)) {
        if (entry.is_directory() && !entry.is_symlink()) add_record_folders(entry.path(), depth - 1, found);
    }
}

// One document in all formats, as `name`.html and so on.
std::vector<fs::path> write_document(const Document& document, const fs::path& folder,
                                     const std::string& name) {
    std::error_code error;
    fs::create_directories(folder, error);
    if (error) throw WorkError(fmt::format("{}: cannot be made: {}", folder.string(), error.message()));
    std::ostringstream html;
    write_html(document, html);
    std::ostringstream markdown;
    write_markdown(document, markdown);
    std::ostringstream json;
    write_json(document, json);
    std::vector<fs::path> paths;
    for (const auto& [extension, text] :
         {std::pair{".html", html.str()}, {".md", markdown.str()}, {".json", json.str()}}) {
        paths.push_back(folder / (name + extension));
        replace_file(paths.back(), text);
    }
    for (fs::path& path : write_csv(document, folder)) paths.push_back(std::move(path));
    return paths;
}

}  // namespace

std::vector<fs::path> write_report(const ReportData& data, const fs::path& folder) {
    return write_document(build_document(data), folder, "report");
}

std::vector<fs::path> write_report(const fs::path& folder) {
    return write_report(load_report(folder), folder);
}

std::vector<fs::path> write_side_by_side(const std::vector<ReportData>& runs, const fs::path& folder) {
    check_shared(runs);
    return write_document(build_side_by_side(runs), folder, "side-by-side");
}

std::vector<fs::path> record_folders(const fs::path& folder) {
    std::vector<fs::path> found;
    add_record_folders(folder, deepest_records, found);
    std::sort(found.begin(), found.end());
    return found;
}

}  // namespace hacscale::report
