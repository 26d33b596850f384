#include <fcntl.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <iostream>
#include <optional>

#include "cli/printing/terminal_buffer.hpp"
#include "cli/program.hpp"
#include "cli/restart.hpp"

namespace {

// A file that is opened while standard input, output or error is closed would become that, and messages would go into it.
void open_standard_streams() {
    for (int descriptor = STDIN_FILENO; descriptor <= STDERR_FILENO; ++descriptor) {
        if (fcntl(descriptor, F_GETFD) < 0 && open("/dev/null", O_RDWR) != descriptor) std::_Exit(1);
    }
}

}  // namespace

int main(int argc, char** argv) {
    open_standard_streams();
    const hacscale::cli::Restart restart(argc, argv);
    std::ios::sync_with_stdio(false);
    std::signal(SIGPIPE,
                SIG_IGN);  // a write to a closed pipe is then an error that the program ends on in good order
    std::signal(SIGXFSZ, SIG_IGN);  // likewise beyond the limit of a file's size (ulimit -f)
    std::optional<hacscale::cli::TerminalBuffer> terminal;
    if (isatty(STDOUT_FILENO) == 1) terminal.emplace(*std::cout.rdbuf());
    std::ostream answers(terminal ? &*terminal : std::cout.rdbuf());
    return hacscale::cli::run(argc, argv, answers, std::cerr, isatty(STDERR_FILENO) == 1, &restart);
}
