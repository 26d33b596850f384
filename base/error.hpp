// Errors as part of the product: every exception that leaves a module is an `Error`, and an `Error` knows the
// exit status it leads to. Its text is one sentence that says what is wrong, where, and what to do. A library's call
// that failed without the user's doing adds its place in the sources in parentheses, for whoever reads the report.
#pragma once

#include <concepts>
#include <stdexcept>
#include <string>
#include <string_view>

namespace hacscale {

// The exit statuses of the program, as documented in docs/cli.md.
enum class ExitStatus {
    done = 0,
    failed = 1,      // the work itself failed
    bad_input = 2,   // bad usage or bad input
    missing = 3,     // a device or a component is not here
    incomplete = 4,  // done, but rows are missing or noisy
};

// A line of the sources. As a default argument, Place::current() is the caller's line. It does what
// std::source_location does, which Clang knows from version 15 on.
struct Place {
    static constexpr Place current(const char* file = __builtin_FILE(), int line = __builtin_LINE()) {
        return {file, line};
    }
    const char* file;
    int line;
};

// "kernels/cuda/stream.cpp:80": from the root of the sources, wherever the program was built.
std::string text_of(const Place& place);

// A library's call that may fail: what it is made for, in words for the message ("copying the input"), and its place.
// Made from the words alone, where they are handed to a checked call.
struct CallSite {
    template <typename Text>
    requires std::convertible_to<const Text&, std::string_view> CallSite(
        const Text& words, const Place& place = Place::current())
        : what(words), where(place) {}

    std::string_view what;  // refers to the words
    Place where;
};

class Error : public std::runtime_error {
public:
    Error(ExitStatus status, const std::string& message) : std::runtime_error(message), status_(status) {}
    ExitStatus status() const { return status_; }

private:
    ExitStatus status_;
};

// The work failed for a reason that is neither the input's nor a missing component's: a full disk, a failed
// call.
class WorkError : public Error {
public:
    explicit WorkError(const std::string& message) : Error(ExitStatus::failed, message) {}
    // For a library's call that should not have failed: the text ends in "(call, file:line)", or in "(file:line)"
    // where the call has no name.
    WorkError(const std::string& message, const Place& where, std::string_view call = {})
        : WorkError(message + " (" + std::string(call) + (call.empty() ? "" : ", ") + text_of(where) + ")") {}
};

// The device's context is broken: every later call in this process would fail. What was measured stays; a fresh
// process can do the rest.
class DeviceLost : public WorkError {
public:
    using WorkError::WorkError;
};

// The user's input is wrong. With a place, the text reads "file:line: message".
class InputError : public Error {
public:
    explicit InputError(const std::string& message) : Error(ExitStatus::bad_input, message) {}
    InputError(const std::string& file, int line, const std::string& message)
        : Error(ExitStatus::bad_input, file + ":" + std::to_string(line) + ": " + message) {}
};

// A device or a component is not on this machine; the text says what to install.
class MissingError : public Error {
public:
    explicit MissingError(const std::string& message) : Error(ExitStatus::missing, message) {}
};

}  // namespace hacscale
