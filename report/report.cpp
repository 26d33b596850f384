#include "report/report.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <ostream>
#include <sstream>

#include "base/error.hpp"
#include "base/replace_file.hpp"
#include "records/run_folder.hpp"
#include "report/formats/formats.hpp"
#include "report/sections/sections.hpp"
#include "report/side_by_side/side_by_side.hpp"

namespace hacscale::report {

namespace fs = std::filesystem;

void write_html(const records::RunRecords& data, std::ostream& out) {
    write_html(build_document(data), out);
}

void write_markdown(const records::RunRecords& data, std::ostream& out) {
    write_markdown(build_document(data), out);
}

std::vector<fs::path> write_csv(const records::RunRecords& data, const fs::path& folder) {
    return write_csv(build_document(data), folder);
}

namespace {

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
        replace_file(paths.back(), [&text = text](std::ostream& out) { out << text; });
    }
    for (fs::path& path : write_csv(document, folder)) paths.push_back(std::move(path));
    return paths;
}

}  // namespace

std::vector<fs::path> write_report(const records::RunRecords& data, const fs::path& folder) {
    return write_document(build_document(data), folder, "report");
}

std::vector<fs::path> write_report(const fs::path& folder) {
    return write_report(records::load_records(folder), folder);
}

std::vector<fs::path> write_side_by_side(const std::vector<records::RunRecords>& runs,
                                         const fs::path& folder) {
    check_shared(runs);
    return write_document(build_side_by_side(runs), folder, "side-by-side");
}

}  // namespace hacscale::report
