#include "cli/interrupt.hpp"

#include <atomic>
#include <csignal>

namespace hacscale::cli {

namespace {

std::atomic<int> received_signal{0};
static_assert(std::atomic<int>::is_always_lock_free, "a signal handler may only touch lock-free atomics");

void on_signal(int signal) {
    received_signal.store(signal, std::memory_order_relaxed);
    std::signal(signal, SIG_DFL);
}

}  // namespace

void catch_interrupts() {
    std::signal(SIGINT, on_signal);
    std::signal(SIGTERM, on_signal);
}

bool interrupted() {
    return interrupt_signal() != 0;
}
int interrupt_signal() {
    return received_signal.load(std::memory_order_relaxed);
}
void clear_interrupt() {
    received_signal.store(0, std::memory_order_relaxed);
}
int interrupt_exit_status() {
    return 128 + interrupt_signal();
}

}  // namespace hacscale::cli
