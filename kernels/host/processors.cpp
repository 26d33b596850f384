#include "kernels/host/processors.hpp"

#include <fcntl.h>
#include <sched.h>
#include <unistd.h>

#include <sys/file.h>
#include <sys/stat.h>
#include <algorithm>
#include <atomic>
#include <cerrno>
#include <charconv>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <exception>
#include <fstream>
#include <map>
#include <mutex>
#include <sstream>
#include <thread>

#include "base/error.hpp"

namespace hacscale::host {
namespace {

constexpr const char* kept_processors_variable = "HACSCALE_ALLOWED_PROCESSORS";

}  // namespace

std::vector<int> parse_processor_list(const std::string& text) {
    std::vector<int> processors;
    const char* at = text.data();
    const char* const end = at + text.size();
    while (at != end) {
        int first = 0;
        auto read = std::from_chars(at, end, first);
        int last = first;
        if (read.ec == std::errc() && read.ptr != end && *read.ptr == '-') {
            read = std::from_chars(read.ptr + 1, end, last);
        }
        const bool more = read.ptr != end && *read.ptr == ',';
        if (read.ec != std::errc() || first < 0 || last < first || last >= CPU_SETSIZE ||
            (read.ptr != end && !more)) {
            return {};
        }
        for (int processor = first; processor <= last; ++processor) processors.push_back(processor);
        at = read.ptr + (more ? 1 : 0);
    }
    return processors;
}

std::vector<int> allowed_processors() {
    cpu_set_t set;
    CPU_ZERO(&set);
    if (sched_getaffinity(0, sizeof(set), &set) != 0) return {0};
    std::vector<int> processors;
    for (int processor = 0; processor < CPU_SETSIZE; ++processor) {
        if (CPU_ISSET(processor, &set)) processors.push_back(processor);
    }
    return processors;
}

void keep_allowed_processors() {
    std::string list;
    for (const int processor : allowed_processors()) {
        if (!list.empty()) list += ',';
        list += std::to_string(processor);
    }
    ::setenv(kept_processors_variable, list.c_str(), 1);
}

std::vector<int> kept_processors() {
    const char* list = std::getenv(kept_processors_variable);
    return list == nullptr ? std::vector<int>() : parse_processor_list(list);
}

std::vector<int> online_processors(const std::filesystem::path& root) {
    return parse_processor_list(first_line(root / "sys/devices/system/cpu/online"));
}

int core_name(int processor, const std::filesystem::path& root) {
    const auto topology = root / "sys/devices/system/cpu" / ("cpu" + std::to_string(processor)) / "topology";
    std::string siblings = first_line(topology / "core_cpus_list");
    if (siblings.empty()) siblings = first_line(topology / "thread_siblings_list");  // before Linux 5.1
    const std::vector<int> listed = parse_processor_list(siblings);
    const bool sound = std::find(listed.begin(), listed.end(), processor) != listed.end();
    return sound ? *std::min_element(listed.begin(), listed.end()) : processor;
}

std::vector<Core> cores_of(const std::vector<int>& processors, const std::filesystem::path& root) {
    std::vector<Core> cores;
    std::map<int, std::size_t> places;  // in `cores`, by the core's name
    for (const int processor : processors) {
        const auto [place, added] = places.emplace(core_name(processor, root), cores.size());
        if (added) cores.emplace_back();
        cores[place->second].push_back(processor);
    }
    return cores;
}

int logical_processors(const std::vector<Core>& cores) {
    std::size_t count = 0;
    for (const Core& core : cores) count += core.size();
    return static_cast<int>(count);
}

// proc(5): "cpu0 USER NICE SYSTEM IDLE IOWAIT IRQ SOFTIRQ STEAL GUEST GUEST_NICE"; guests are in USER and
// NICE.
std::map<int, ProcessorTime> processor_times(const std::filesystem::path& root) {
    constexpr int fields = 8;
    std::map<int, ProcessorTime> times;
    std::ifstream in(root / "proc/stat");
    for (std::string line; std::getline(in, line);) {
        std::istringstream words(line);
        std::string name;
        words >> name;
        if (!name.starts_with("cpu") || name == "cpu") continue;
        ProcessorTime& time = times[std::atoi(name.c_str() + 3)];
        std::int64_t ticks = 0;
        for (int field = 0; field < fields && words >> ticks; ++field) {
            time.all += ticks;
            if (field == 3 || field == 4) time.idle += ticks;
        }
    }
    return times;
}

double busy_share(const Core& core, const std::map<int, ProcessorTime>& before,
                  const std::map<int, ProcessorTime>& after) {
    double busiest = 0.0;
    for (const int processor : core) {
        const auto first = before.find(processor);
        const auto last = after.find(processor);
        if (first == before.end() || last == after.end()) continue;
        const auto all = static_cast<double>(last->second.all - first->second.all);
        const auto idle = static_cast<double>(last->second.idle - first->second.idle);
        if (all > 0.0) busiest = std::max(busiest, 1.0 - idle / all);
    }
    return busiest;
}

std::string first_line(const std::filesystem::path& file) {
    std::ifstream in(file);
    std::string line;
    std::getline(in, line);
    return line;
}

std::filesystem::path core_locks_folder() {
    if (const char* chosen = std::getenv("HACSCALE_CORE_LOCKS")) return chosen;
    return "/tmp/hacscale-cores";
}

CoreClaims::CoreClaims(std::filesystem::path folder) : folder_(std::move(folder)) {
    // As /tmp itself: everyone may add files, nobody may remove another's.
    if (::mkdir(folder_.c_str(), 0700) == 0) ::chmod(folder_.c_str(), 01777);
}

CoreClaims::~CoreClaims() {
    release_from(0);
}

std::vector<Core> CoreClaims::take(const std::vector<Core>& cores, std::size_t count,
                                   const std::filesystem::path& root) {
    const std::size_t held_before = files_.size();
    std::vector<Core> taken;
    for (const Core& core : cores) {
        if (taken.size() == count) break;
        const int file = locked(core_name(core.front(), root));
        if (!obstacle_.empty()) {
            release_from(held_before);
            return {cores.begin(),
                    cores.begin() + static_cast<std::ptrdiff_t>(std::min(count, cores.size()))};
        }
        if (file < 0) continue;
        files_.push_back(file);
        taken.push_back(core);
    }
    if (taken.size() == count) return taken;
    release_from(held_before);
    return {};
}

int CoreClaims::locked(int core) {
    const std::filesystem::path path = folder_ / ("core-" + std::to_string(core));
    // Reading is enough for a lock, and another user's file cannot be opened for more.
    int file = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (file < 0 && errno == ENOENT) {
        file = ::open(path.c_str(), O_RDONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0644);
        if (file >= 0) ::fchmod(file, 0644);  // whatever the user's mask takes away
    }
    if (file >= 0 && ::flock(file, LOCK_EX | LOCK_NB) == 0) return file;
    if (file < 0 || errno != EWOULDBLOCK) obstacle_ = path.string() + ": " + std::strerror(errno);
    if (file >= 0) ::close(file);
    return -1;
}

void CoreClaims::release_from(std::size_t first) {
    for (std::size_t i = first; i < files_.size(); ++i) ::close(files_[i]);
    files_.resize(first);
}

namespace {

std::string count_of(int count, const std::string& what) {
    return std::to_string(count) + " " + what + (count == 1 ? "" : "s");
}

// "2 cores", with hyperthreads "2 cores with 4 hyperthreads".
std::string cores_in_words(const std::vector<Core>& cores) {
    const int processors = logical_processors(cores);
    const int count = static_cast<int>(cores.size());
    return count_of(count, "core") +
           (processors > count ? " with " + std::to_string(processors) + " hyperthreads" : "");
}

std::string quota_in_words(const CpuQuota& quota) {
    char cores[32];
    std::snprintf(cores, sizeof(cores), "%.2f", quota.cores);
    return "the CPU quota of " + std::string(cores) + " cores (" + quota.file + ")";
}

// The first of "4" or "4,2": one number a level of nested parallelism. Nothing where OpenMP would refuse it.
std::optional<int> outer_threads(const std::string& text) {
    int threads = 0;
    const auto read = std::from_chars(text.data(), text.data() + text.size(), threads);
    const bool ends = read.ptr == text.data() + text.size() || *read.ptr == ',';
    if (read.ec != std::errc() || !ends || threads < 1) return std::nullopt;
    return threads;
}

int threads_by_themselves(const CpuResources& resources) {
    const int cores = static_cast<int>(resources.cores.size());
    if (!resources.quota) return cores;
    // A quota of 1.9999 by rounding of its period is meant to be 2.
    return std::clamp(static_cast<int>(std::floor(resources.quota->cores + 1e-3)), 1, cores);
}

}  // namespace

const CpuResources& this_machine() {
    static const CpuResources resources = [] {
        CpuResources found{cores_of(allowed_processors(), "/"), cpu_quota("/"), std::nullopt};
        if (const char* threads = std::getenv("OMP_NUM_THREADS")) found.omp_num_threads = threads;
        return found;
    }();
    return resources;
}

ThreadChoice choose_threads(const CpuResources& resources, int wanted) {
    const int most = logical_processors(resources.cores);
    ThreadChoice choice{wanted, {}, false};
    if (wanted > most) {
        throw InputError(count_of(wanted, "thread") + " would share the " + cores_in_words(resources.cores) +
                         " that this process may use; ask for 1 to " + std::to_string(most) +
                         " threads, or 0 for one on each core");
    }
    if (wanted == 0) {
        choice.threads = threads_by_themselves(resources);
        const auto set = resources.omp_num_threads ? outer_threads(*resources.omp_num_threads) : std::nullopt;
        if (set && *set > most) {
            choice.warnings.push_back("OMP_NUM_THREADS=" + *resources.omp_num_threads + " is more than the " +
                                      cores_in_words(resources.cores) + " that this process may use: " +
                                      count_of(choice.threads, "thread") + " will do the work");
        } else if (set && *set != choice.threads) {
            choice.warnings.push_back("OMP_NUM_THREADS=" + *resources.omp_num_threads +
                                      " decides: " + count_of(*set, "thread") + " instead of " +
                                      std::to_string(choice.threads) + "; --threads is stronger than it");
            choice.threads = *set;
        }
    }
    if (resources.quota && resources.quota->cores < choice.threads - 1e-3) {
        choice.above_quota = true;
        choice.warnings.push_back(count_of(choice.threads, "thread") +
                                  " will be stopped again and again: " + quota_in_words(*resources.quota) +
                                  " is less, and latencies will be too long or jump");
    } else if (resources.quota && wanted == 0 && choice.threads < static_cast<int>(resources.cores.size())) {
        choice.warnings.push_back(count_of(choice.threads, "thread") + " for " +
                                  cores_in_words(resources.cores) + ", because of " +
                                  quota_in_words(*resources.quota));
    }
    return choice;
}

std::string openmp_places(const std::vector<Core>& cores, int threads) {
    std::string places;
    const auto add = [&](const std::string& place) {
        places += places.empty() ? "{" : ",{";
        places += place;
        places += "}";
    };
    const bool whole_cores = threads <= static_cast<int>(cores.size());
    for (std::size_t i = 0; i < cores.size() && (!whole_cores || static_cast<int>(i) < threads); ++i) {
        std::string siblings;
        for (const int processor : cores[i]) {
            if (!whole_cores) add(std::to_string(processor));
            if (!siblings.empty()) siblings += ",";
            siblings += std::to_string(processor);
        }
        if (whole_cores) add(siblings);
    }
    return places;
}

void run_on(const std::vector<int>& processors) {
    cpu_set_t set;
    CPU_ZERO(&set);
    for (const int processor : processors) CPU_SET(processor, &set);
    sched_setaffinity(0, sizeof(set), &set);
}

std::vector<int> measuring_processors() {
    std::vector<int> processors;
    if (const char* places = std::getenv("OMP_PLACES")) {
        std::string list;
        for (const char* c = places; *c != '\0'; ++c) {
            if (*c != '{' && *c != '}') list += *c;
        }
        processors = parse_processor_list(list);
    }
    if (processors.empty()) processors = kept_processors();
    return processors.empty() ? allowed_processors() : processors;
}

OnMeasuringProcessors::OnMeasuringProcessors() : before_(allowed_processors()) {
    run_on(measuring_processors());
}

OnMeasuringProcessors::~OnMeasuringProcessors() {
    run_on(before_);
}

void for_each_in_parallel(std::size_t count, const std::function<void(std::size_t)>& work,
                          std::size_t threads) {
    std::vector<int> processors = kept_processors();
    if (processors.empty()) processors = allowed_processors();
    threads = std::min({threads, count, processors.size()});
    if (threads <= 1) {
        for (std::size_t i = 0; i < count; ++i) work(i);
        return;
    }
    std::atomic<std::size_t> next{0};
    std::mutex mutex;
    std::exception_ptr first;
    const auto take_turns = [&] {
        // OpenMP pins the thread that loads it to one core, and threads that it starts inherit that: they go back to what
        // the process was allowed when it began (taskset, its control group), and no further.
        run_on(processors);
        for (std::size_t i = next++; i < count; i = next++) {
            try {
                work(i);
            } catch (...) {
                const std::lock_guard lock(mutex);
                if (!first) first = std::current_exception();
                next = count;
            }
        }
    };
    {
        std::vector<std::jthread> pool;
        for (std::size_t i = 0; i < threads; ++i) pool.emplace_back(take_turns);
    }
    if (first) std::rethrow_exception(first);
}

}  // namespace hacscale::host
