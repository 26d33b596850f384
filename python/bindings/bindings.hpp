// The native half of the Python package: what is bound into the module hacscale._core, one function a source. Its Python half
// (../hacscale/) has the interface that users see, so nothing here has defaults or documentation of its own.
//
// Answers that are records are their JSON text (docs/formats.md): Python reads them as anybody does.
#pragma once

#include <nanobind/nanobind.h>

#include <exception>
#include <string>

#include "harness/events.hpp"
#include "models/structure/structure.hpp"
#include "profiler/table/table.hpp"

namespace hacscale::python {

namespace nb = nanobind;

void bind_errors(nb::module_& module);
void bind_networks(nb::module_& module);
void bind_tables(nb::module_& module);
void bind_candidates(nb::module_& module);
void bind_planning(nb::module_& module);
void bind_measuring(nb::module_& module);

// The table's rows as a capsule of Arrow's, "arrow_array_stream".
nb::capsule arrow_stream(const Table& table);

// Throws InputError for names that there are not.
MeasuredState state_of(int batch, const std::string& dtype, const std::string& cache);

inline GroupRules group_rules_of(bool keep_groups, bool equal_slices) {
    return {keep_groups ? GroupedConvs::keep_count : GroupedConvs::keep_width, equal_slices};
}

// Events as calls of a Python object's note(), warn(), progress() and progress_ended(). Used by a thread that has released the
// interpreter's lock; takes it for each call. Work stops where Python has a signal to handle (the main thread alone has), or
// one of the calls raised.
class PythonEvents final : public harness::Events {
public:
    explicit PythonEvents(nb::handle object) : object_(object) {}

    void note(const std::string& message) override;
    void warn(const std::string& message) override;
    void warn(const std::string& message, const harness::ShellCommand& command) override;
    void progress(double done, double total, const std::string& what) override;
    void progress_ended() override;
    bool stop_requested() const override;

    // What a call raised, once the work has ended.
    void rethrow() const;

private:
    template <typename... Arguments>
    void call(const char* method, const Arguments&... arguments);

    nb::handle object_;
    mutable bool stopped_ = false;
    std::exception_ptr raised_;
};

}  // namespace hacscale::python
