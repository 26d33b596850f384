// Lets a test see other NVIDIA libraries than the machine's, and sets variables for the time of a test.
#pragma once

#include <cstdlib>
#include <map>
#include <optional>
#include <string>

namespace hacscale::tests {

class Environment {
public:
    ~Environment() {
        for (const auto& [name, value] : before_) {
            if (value) {
                setenv(name.c_str(), value->c_str(), 1);
            } else {
                unsetenv(name.c_str());
            }
        }
    }
    void set(const std::string& name, const std::string& value) {
        const char* old = std::getenv(name.c_str());
        before_.try_emplace(name, old == nullptr ? std::nullopt : std::optional<std::string>(old));
        setenv(name.c_str(), value.c_str(), 1);
    }

private:
    std::map<std::string, std::optional<std::string>> before_;
};

// The folder of one or two of the libraries in fakes/, as HACSCALE_CUDA_LIBS wants it.
inline std::string fake_library(const std::string& name) {
    return std::string(HACSCALE_FAKE_LIBRARIES) + "/" + name;
}

}  // namespace hacscale::tests
