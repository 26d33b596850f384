#include <nanobind/stl/string.h>

#include "base/error.hpp"
#include "base/version.hpp"
#include "bindings/bindings.hpp"

namespace hacscale::python {

namespace {

// The kinds of base/error.hpp. BadInput is a ValueError as well, as Python's own functions raise for bad values.
void bind_kind_of_error(nb::module_& module) {
    auto any = nb::exception<Error>(module, "Error");
    nb::exception<WorkError>(module, "WorkFailed", any);
    nb::exception<MissingError>(module, "DeviceMissing", any);
    const nb::object value_error = nb::module_::import_("builtins").attr("ValueError");
    nb::exception<InputError>(module, "BadInput", nb::make_tuple(nb::object(any), value_error));
}

}  // namespace

void bind_errors(nb::module_& module) {
    bind_kind_of_error(module);
}

MeasuredState state_of(int batch, const std::string& dtype, const std::string& cache) {
    return {batch, data_type_from_name(dtype), cache_state_from_name(cache)};
}

template <typename... Arguments>
void PythonEvents::call(const char* method, const Arguments&... arguments) {
    const nb::gil_scoped_acquire locked;
    try {
        object_.attr(method)(arguments...);
    } catch (const nb::python_error&) {
        stopped_ = true;
        if (!raised_) {
            raised_ = std::current_exception();
        }
    }
}

void PythonEvents::note(const std::string& message) {
    call("note", message);
}

void PythonEvents::warn(const std::string& message) {
    call("warn", message);
}

void PythonEvents::warn(const std::string& message, const harness::ShellCommand& command) {
    call("warn", message + " " + command.text());
}

void PythonEvents::progress(double done, double total, const std::string& what) {
    call("progress", done, total, what);
}

void PythonEvents::progress_ended() {
    call("progress_ended");
}

bool PythonEvents::stop_requested() const {
    const nb::gil_scoped_acquire locked;
    if (!stopped_ && PyErr_CheckSignals() != 0) {
        PyErr_Clear();  // the work ends with what it has, and its answer says that it was interrupted
        stopped_ = true;
    }
    return stopped_;
}

void PythonEvents::rethrow() const {
    if (raised_) {
        std::rethrow_exception(raised_);
    }
}

}  // namespace hacscale::python

NB_MODULE(_core, module) {
    using namespace hacscale::python;
    module.doc() = "The native half of hacscale";
    // IPython keeps what its cells returned until the interpreter is gone.
    nb::set_leak_warnings(false);
    module.attr("version") = nb::str(std::string(hacscale::version()).c_str());
    bind_errors(module);
    bind_networks(module);
    bind_tables(module);
    bind_candidates(module);
    bind_planning(module);
    bind_measuring(module);
}
