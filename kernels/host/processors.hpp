// Which processors this process may use, which of them share a core, and how busy each is. Files below `root` ("/" on
// a real machine) say so; tests pass a folder of their own.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace hacscale::host {

// The logical processors (hyperthreads) of one physical core, ascending.
using Core = std::vector<int>;

// "0-2,5" -> 0, 1, 2, 5, as the kernel writes lists of processors. What is no list is empty.
std::vector<int> parse_processor_list(const std::string& text);

// Those that the process may run on (taskset, a cpuset of its control group). OpenMP pins the thread that
// loads it to one processor, so this must be asked before.
std::vector<int> allowed_processors();
// What allowed_processors() answers now is what kept_processors() answers later, in modules as well, which have
// statics of their own: it is kept in the environment. Called before OpenMP is loaded.
void keep_allowed_processors();
std::vector<int> kept_processors();  // empty when none were kept
std::vector<int> online_processors(const std::filesystem::path& root);

// The first logical processor of the physical core, whether the process may use it or not: it names the core.
// Where the kernel tells nothing, the processor itself.
int core_name(int processor, const std::filesystem::path& root);

// `processors` by physical core, in the order of each core's first one.
std::vector<Core> cores_of(const std::vector<int>& processors, const std::filesystem::path& root);

int logical_processors(const std::vector<Core>& cores);

struct ProcessorTime {
    std::int64_t idle = 0;  // in the kernel's ticks, since the machine started
    std::int64_t all = 0;
};

// Of each online processor; empty where the kernel does not tell.
std::map<int, ProcessorTime> processor_times(const std::filesystem::path& root);

// 0..1, of the busiest processor of the core between two readings; 0 where they tell nothing.
double busy_share(const Core& core, const std::map<int, ProcessorTime>& before,
                  const std::map<int, ProcessorTime>& after);

// Of a small file of /proc or /sys; empty where the file is not there or cannot be read.
std::string first_line(const std::filesystem::path& file);

// Cores that one measurement has for itself, by agreement between the processes of this program on a machine:
// each holds a lock on a file a core. A lock ends with its process, however that ends.

// $HACSCALE_CORE_LOCKS, else hacscale-cores in /tmp, which all users and containers of a machine that share
// /tmp see. Empty when that variable is set to nothing: then no core is claimed.
std::filesystem::path core_locks_folder();

class CoreClaims {
public:
    // Makes the folder where it is not there.
    explicit CoreClaims(std::filesystem::path folder);
    ~CoreClaims();
    CoreClaims(const CoreClaims&) = delete;
    CoreClaims& operator=(const CoreClaims&) = delete;

    // Claims `count` of the cores, the first ones that no other process has. When there are fewer, none is
    // claimed and the answer is empty. Claims are held as long as this object.
    std::vector<Core> take(const std::vector<Core>& cores, std::size_t count,
                           const std::filesystem::path& root = "/");
    // Why locks cannot be had in this folder at all; empty while they can. Then take() claims nothing and
    // gives the first `count` cores.
    const std::string& obstacle() const { return obstacle_; }

private:
    int locked(int core);  // an open file with its lock, or -1
    void release_from(std::size_t first);

    std::filesystem::path folder_;
    std::vector<int> files_;  // open and locked
    std::string obstacle_;
};

// How many threads CPU work uses, on which processors, and work that is spread over them.

// How much processor time the process's control group may use: the limit of a container
// (`docker run --cpus 1.5`) or of a service. Threads beyond it are stopped for a part of each period.
struct CpuQuota {
    double cores = 0.0;  // processor seconds a second
    std::string file;    // that sets it
    bool operator==(const CpuQuota&) const = default;
};

// The least of the process's own group and those around it, of both versions of control groups; nothing where
// none is limited. `root` as above.
std::optional<CpuQuota> cpu_quota(const std::filesystem::path& root);

// What there is for CPU work.
struct CpuResources {
    std::vector<Core> cores;  // that the process may use; at least one
    std::optional<CpuQuota> quota;
    std::optional<std::string> omp_num_threads;  // of the environment the program was started in
};

// Of this machine, read when first asked: before OpenMP pins the thread that loads it.
const CpuResources& this_machine();

struct ThreadChoice {
    int threads = 1;
    std::vector<std::string> warnings;
    bool above_quota = false;  // the warnings say so: the system stops the threads, and times are wrong
};

// `wanted` as --threads says. 0: OMP_NUM_THREADS where it is set and there are as many processors, else one
// thread for each physical core that the process may use, and no more than the quota has whole cores. More
// than there are logical processors: InputError. Warns where OMP_NUM_THREADS decides, or threads exceed the
// quota.
ThreadChoice choose_threads(const CpuResources& resources, int wanted);

// For OMP_PLACES: the first `threads` cores, "{0,4},{1,5}"; where there are more threads than cores, each
// logical processor.
std::string openmp_places(const std::vector<Core>& cores, int threads);

// The processors of OMP_PLACES, as openmp_places() writes them: those that work is measured on. Where the variable is not set, or
// set to something else, those that were kept, or else those that the thread may run on.
std::vector<int> measuring_processors();
// The calling thread, and threads that it starts from now on, run on these and no others.
void run_on(const std::vector<int>& processors);

// As long as it lives, the calling thread, and what threads and processes it starts, run on the processors that work is measured
// on, however OpenMP has pinned it.
class OnMeasuringProcessors {
public:
    OnMeasuringProcessors();
    ~OnMeasuringProcessors();
    OnMeasuringProcessors(const OnMeasuringProcessors&) = delete;
    OnMeasuringProcessors& operator=(const OnMeasuringProcessors&) = delete;

private:
    std::vector<int> before_;
};

// Calls work(0) to work(count - 1), each once, in any order, on as many threads as there are processors that the
// process was allowed when it began, and returns when all are done: for planning, above all, which takes cuDNN up to
// seconds a layer. On the calling thread alone when there is one thing, or one processor. The first exception is
// thrown when the others are done; no new work begins after it.
constexpr std::size_t max_parallel_threads = 16;
void for_each_in_parallel(std::size_t count, const std::function<void(std::size_t)>& work,
                          std::size_t threads = max_parallel_threads);

}  // namespace hacscale::host
