// Errors as part of the product: every exception that leaves a room is an `Error`, and an `Error` knows the
// exit status it leads to. Its text is one sentence that says what is wrong, where, and what to do.
#pragma once

#include <stdexcept>
#include <string>

namespace hacscale {

// The exit statuses of the program, as documented in docs/cli.md.
enum class ExitStatus {
    done = 0,
    failed = 1,      // the work itself failed
    bad_input = 2,   // bad usage or bad input
    missing = 3,     // a device or a component is not here
    incomplete = 4,  // done, but rows are missing or noisy
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
};

// The device's context is broken: every later call in this process would fail. What was measured stays; the
// work can go on in a fresh process.
class DeviceLost : public WorkError {
public:
    explicit DeviceLost(const std::string& message) : WorkError(message) {}
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
