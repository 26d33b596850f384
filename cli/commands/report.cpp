#include "cli/commands/report.hpp"

#include <memory>

#include "cli/print_json.hpp"
#include "report/report.hpp"

namespace hacscale::cli {

namespace {

ExitStatus report_folder(const std::string& folder, Session& session) {
    const std::vector<std::filesystem::path> files = write_report(folder);
    Json names = Json::array();
    for (const std::filesystem::path& file : files) {
        names.push_back(file.string());
    }
    if (session.json) {
        print_json(session.out, {{"folder", folder}, {"files", std::move(names)}});
    } else {
        for (const Json& name : names) {
            session.out << name.get<std::string>() << '\n';
        }
    }
    return ExitStatus::done;
}

}  // namespace

Run declare_report(CLI::App& parser) {
    auto folder = std::make_shared<std::string>();
    parser.add_option("folder", *folder, "The folder with the records of a run")->required();
    return [folder](Session& session) { return report_folder(*folder, session); };
}

}  // namespace hacscale::cli
