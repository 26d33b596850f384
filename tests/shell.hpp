// Commands of a shell, as a person types them.
#pragma once

#include <sys/wait.h>

#include <cstdio>
#include <string>

namespace hacscale {

struct Answer {
    int status = 0;    // exit status; -1 where no shell could be started, or a signal ended it
    std::string text;  // both streams
};

inline Answer answer_of(const std::string& command) {
    Answer answer;
    FILE* pipe = popen((command + " 2>&1").c_str(), "r");
    if (pipe == nullptr) return {-1, "popen failed"};
    char buffer[512];
    while (fgets(buffer, sizeof buffer, pipe) != nullptr) answer.text += buffer;
    const int status = pclose(pipe);
    answer.status = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
    return answer;
}

}  // namespace hacscale
