// The records of a run: provenance.json, verify.json, compare-*.json, table.json and suite.json. What is read is the same when it was
// written and read again, and a report can be made of it.
#include <sstream>

#include "harness/suite/run_manifest.hpp"
#include "records/run_folder.hpp"
#include "report/formats/formats.hpp"
#include "report/sections/sections.hpp"
#include "tests/fuzz/fuzz.hpp"
#include "tests/fuzz/fuzzers.hpp"

namespace hacscale::fuzzing {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view usual_provenance =
    R"({"program": "hacscale", "version": "0.1.0", "command": "hacscale run",
"device": {"id": "cpu", "name": "CPU", "fingerprint": "0", "properties": {"cores": 2}}, "settings": {"batch": 1, "dtype": "f32"}})";

// A report of a folder that holds the bytes as the record of this name.
void report_on(std::string_view bytes, const std::string& name) {
    const fs::path run = folder() / "run";
    fs::remove_all(run);
    fs::create_directory(run);
    file_with(usual_provenance, "run/provenance.json");
    if (name == "provenance.json") file_with("[]", "run/table.json");
    file_with(bytes, "run/" + name);
    const auto records = accepted(bytes, [&] { return records::load_records(run); });
    if (!records) return;
    const report::Document document = report::build_document(*records);
    std::ostringstream text;
    report::write_markdown(document, text);
    report::write_json(document, text);
    require(is_utf8(text.str()), "a report is no UTF-8");
}

// Whether the bytes are a record that `read` reads; checks what it makes of them.
template <typename Read>
bool is_record(std::string_view bytes, const fs::path& file, const Read& read) {
    const auto record = accepted(bytes, [&] { return read(file); });
    if (!record) return false;
    const std::string written = to_json(*record);
    require(to_json(read(file_with(written, "written.json"))) == written,
            "a record is another one when it was written");
    return true;
}

void check_manifest_of(std::string_view bytes) {
    file_with(bytes, "suite.json");
    const auto manifest = accepted(bytes, [&] { return harness::read_manifest(folder()); });
    if (!manifest) return;
    harness::write_manifest(folder(), manifest->value());
    const harness::RunManifest again = harness::read_manifest(folder()).value();
    require(again.suite == (*manifest)->suite && again.suite_hash == (*manifest)->suite_hash &&
                again.shard == (*manifest)->shard && again.finished == (*manifest)->finished,
            "a manifest is another one when it was written");
}

}  // namespace

void fuzz_records(std::string_view bytes) {
    const fs::path file = file_with(bytes, "fuzzed.json");
    if (is_record(bytes, file, records::read_provenance)) report_on(bytes, "provenance.json");
    if (is_record(bytes, file, records::read_verification)) report_on(bytes, "verify.json");
    const auto read_comparison = [](const fs::path& from) { return records::read_comparison(from); };
    if (is_record(bytes, file, read_comparison)) report_on(bytes, "compare-fuzzed-1.json");
    if (bytes.starts_with('[')) report_on(bytes, "table.json");
    check_manifest_of(bytes);
}

}  // namespace hacscale::fuzzing
