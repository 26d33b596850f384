// Modules found, loaded, or refused with a reason.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>

#include "base/error.hpp"
#include "tests/kernels/registry.hpp"
#include "tests/temp_folder.hpp"

namespace hacscale {
namespace {

namespace fs = std::filesystem;
using ::testing::AllOf;
using ::testing::HasSubstr;

// Sets $HACSCALE_BACKENDS as long as it lives.
class BackendsFrom {
public:
    explicit BackendsFrom(const fs::path& folder) { ::setenv("HACSCALE_BACKENDS", folder.c_str(), 1); }
    ~BackendsFrom() { ::unsetenv("HACSCALE_BACKENDS"); }
    BackendsFrom(const BackendsFrom&) = delete;
    BackendsFrom& operator=(const BackendsFrom&) = delete;
};

BackendRegistry load_from(const fs::path& folder) {
    const BackendsFrom environment(folder);
    return BackendRegistry::load();
}

std::string module_file(const std::string& backend) {
    return "libhacscale_backend_" + backend + ".so";
}

void add_test_module(const testing::TempFolder& folder, const std::string& backend) {
    fs::create_symlink(fs::path(HACSCALE_TEST_MODULES) / module_file(backend), folder / module_file(backend));
}

LoadAttempt only_attempt(const BackendRegistry& registry) {
    EXPECT_EQ(registry.attempts().size(), 1u);
    EXPECT_TRUE(registry.backends().empty());
    return registry.attempts().empty() ? LoadAttempt{} : registry.attempts().front();
}

std::string missing_device_text(const BackendRegistry& registry, const std::string& device) {
    try {
        registry.find(device);
    } catch (const MissingError& error) {
        EXPECT_EQ(error.status(), ExitStatus::missing);
        return error.what();
    }
    ADD_FAILURE() << device << " was found";
    return {};
}

TEST(BackendRegistry, FindsTheCpuBesideTheProgram) {
    const BackendRegistry& registry = testing::registry();
    const DeviceHandle cpu = registry.find("cpu");
    ASSERT_NE(cpu.backend, nullptr);
    EXPECT_EQ(cpu.backend->name(), "cpu");
    EXPECT_EQ(cpu.device.id, "cpu");
    EXPECT_FALSE(cpu.device.name.empty());
    EXPECT_EQ(cpu.device.fingerprint.size(), 16u);
    bool ready = false;
    for (const LoadAttempt& attempt : registry.attempts()) {
        if (attempt.backend == "cpu") ready = attempt.ready() && attempt.reason.empty();
    }
    EXPECT_TRUE(ready);
}

TEST(BackendRegistry, NamesWhatThereIsWhenADeviceIsNot) {
    EXPECT_THAT(missing_device_text(testing::registry(), "tpu:0"),
                AllOf(HasSubstr("'tpu:0' is not here"), HasSubstr("devices found: cpu"),
                      HasSubstr("no backend module for 'tpu'"), HasSubstr("hacscale devices")));
    EXPECT_THAT(missing_device_text(testing::registry(), ""), HasSubstr("devices found: cpu"));
    // A runtime's module for GPUs is another one than its module for CPUs.
    EXPECT_THAT(missing_device_text(testing::registry(), "some@cpu"),
                HasSubstr("no backend module for 'some'"));
    EXPECT_THAT(missing_device_text(testing::registry(), "some@cuda:0"),
                HasSubstr("no backend module for 'some_cuda'"));
}

TEST(BackendRegistry, LoadsTheModuleOfOneDeviceAlone) {
    const testing::TempFolder folder;
    std::ofstream(folder / module_file("aaa")) << "this is no library";
    add_test_module(folder, "failing_create");
    for (const LoadAttempt& attempt : testing::registry().attempts()) {
        if (attempt.backend == "cpu") fs::create_symlink(attempt.path, folder / module_file("cpu"));
    }
    const BackendsFrom environment(folder.path());
    for (const char* name : {"cpu", "onednn@cpu"}) {
        const BackendRegistry registry = BackendRegistry::load(0, name);
        ASSERT_EQ(registry.attempts().size(), 1u);
        EXPECT_EQ(registry.attempts().front().backend, "cpu");
        EXPECT_EQ(registry.find(name).device.id, "cpu");
    }
    // To say what there is instead, all are tried, each once.
    const BackendRegistry all = BackendRegistry::load(0, "failing_create@cpu");
    EXPECT_EQ(all.attempts().size(), 3u);
    EXPECT_THAT(missing_device_text(all, "failing_create@cpu"),
                AllOf(HasSubstr("devices found: cpu"), HasSubstr("install one")));
}

TEST(BackendRegistry, ADeviceHasOneId) {
    EXPECT_EQ(device_id_of("cpu"), "cpu");
    EXPECT_EQ(device_id_of("onednn@cpu"), "cpu");
    EXPECT_EQ(device_id_of("cudnn@cuda:1"), "cuda:1");
    EXPECT_EQ(device_id_of("openvino@cpu"), "openvino@cpu");
    EXPECT_TRUE(is_cpu("cpu"));
    EXPECT_TRUE(is_cpu("onnxruntime@cpu"));
    EXPECT_FALSE(is_cpu("cuda:0"));
    EXPECT_FALSE(is_cpu("onnxruntime@cuda:0"));
}

TEST(BackendRegistry, SearchesTheFolderThatTheEnvironmentNames) {
    const testing::TempFolder folder;
    const BackendsFrom environment(folder.path());
    EXPECT_EQ(backend_folders(), std::vector<fs::path>{folder.path()});
    const BackendRegistry registry = BackendRegistry::load();
    EXPECT_TRUE(registry.attempts().empty());
    EXPECT_TRUE(registry.backends().empty());
    EXPECT_THAT(missing_device_text(registry, "cpu"),
                AllOf(HasSubstr("devices found: none"), HasSubstr("no backend module for 'cpu'")));
}

TEST(BackendRegistry, SearchesBesideTheProgramOtherwise) {
    ::setenv("HACSCALE_BACKENDS", "", 1);
    const auto folders = backend_folders();
    ::unsetenv("HACSCALE_BACKENDS");
    EXPECT_EQ(folders, backend_folders());
    EXPECT_EQ(folders.size(), 3u);
    for (const fs::path& folder : folders) EXPECT_TRUE(folder.is_absolute()) << folder;
}

TEST(BackendRegistry, AMissingFolderIsAnEmptyOne) {
    const testing::TempFolder folder;
    EXPECT_TRUE(load_from(folder / "nowhere").attempts().empty());
}

TEST(BackendRegistry, LooksAtFilesOfItsPatternOnly) {
    const testing::TempFolder folder;
    for (const char* name : {"libsomething.so", "libhacscale_backend_cpu.so.1", "hacscale_backend_x.so",
                             "libhacscale_backend_.so", "libhacscale_backend.so"}) {
        std::ofstream(folder / name) << "text";
    }
    EXPECT_TRUE(load_from(folder.path()).attempts().empty());
}

TEST(BackendRegistry, SaysThatAFileIsNoLibrary) {
    const testing::TempFolder folder;
    std::ofstream(folder / module_file("text")) << "this is no library";
    const BackendRegistry registry = load_from(folder.path());
    const LoadAttempt attempt = only_attempt(registry);
    EXPECT_EQ(attempt.stage, "open");
    EXPECT_EQ(attempt.backend, "text");
    EXPECT_EQ(attempt.path, folder / module_file("text"));
    EXPECT_FALSE(attempt.ready());
    EXPECT_THAT(attempt.reason, HasSubstr(module_file("text")));
    EXPECT_THAT(missing_device_text(registry, "text:1"), HasSubstr("the text backend cannot run"));
}

TEST(BackendRegistry, SaysThatALibraryIsNoModule) {
    const testing::TempFolder folder;
    add_test_module(folder, "no_entry");
    const LoadAttempt attempt = only_attempt(load_from(folder.path()));
    EXPECT_EQ(attempt.stage, "entry");
    EXPECT_THAT(attempt.reason, HasSubstr(backend_entry_name));
}

TEST(BackendRegistry, SaysThatAModuleIsOfAnotherVersion) {
    const testing::TempFolder folder;
    add_test_module(folder, "wrong_abi");
    const LoadAttempt attempt = only_attempt(load_from(folder.path()));
    EXPECT_EQ(attempt.stage, "abi");
    EXPECT_THAT(attempt.reason, AllOf(HasSubstr("interface version 4711"),
                                      HasSubstr("this program has " + std::to_string(backend_abi_version))));
}

TEST(BackendRegistry, HandsOnWhyABackendCannotRun) {
    const testing::TempFolder folder;
    add_test_module(folder, "failing_create");
    const BackendRegistry registry = load_from(folder.path());
    const LoadAttempt attempt = only_attempt(registry);
    EXPECT_EQ(attempt.stage, "create");
    EXPECT_EQ(attempt.reason, "this machine has no driver; install one");
    EXPECT_THAT(missing_device_text(registry, "failing_create:0"), HasSubstr("install one"));
}

TEST(BackendRegistry, OneBrokenModuleDoesNotKeepOthersOut) {
    const testing::TempFolder folder;
    std::ofstream(folder / module_file("aaa")) << "this is no library";
    add_test_module(folder, "failing_create");
    add_test_module(folder, "wrong_abi");
    for (const LoadAttempt& attempt : testing::registry().attempts()) {
        if (attempt.backend == "cpu") fs::create_symlink(attempt.path, folder / module_file("cpu"));
    }
    const BackendRegistry registry = load_from(folder.path());
    std::vector<std::string> stages;
    for (const LoadAttempt& attempt : registry.attempts()) stages.push_back(attempt.stage);
    EXPECT_THAT(stages, ::testing::ElementsAre("open", "ready", "create", "abi"));
    EXPECT_EQ(registry.find("cpu").backend->name(), "cpu");
}

}  // namespace
}  // namespace hacscale
