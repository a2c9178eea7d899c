#include "system/support.hpp"

#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <iostream>

#include "scale/config.hpp"

namespace creto::system_test {

namespace {

constexpr std::size_t said_bytes_max = 64ULL * 1024 * 1024;

std::string text_of(const std::filesystem::path& file) {
    auto text = read_file(file, said_bytes_max);
    return text ? *text : std::string{};
}

}  // namespace

std::filesystem::path program() {
    return CRETO_PROGRAM;
}

WorkFolder::WorkFolder() {
    const auto* test = ::testing::UnitTest::GetInstance()->current_test_info();
    path_ = std::filesystem::path{CRETO_WORK_FOLDER} /
            (std::string{test->test_suite_name()} + "." + test->name() + "-" +
             std::to_string(::getpid()));
    std::filesystem::remove_all(path_);
    std::filesystem::create_directories(path_);
}

WorkFolder::~WorkFolder() {
    if (::testing::Test::HasFailure()) {
        std::cout << "the folders of this run stay in " << path_.string() << std::endl;
        return;
    }
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
}

std::uint64_t number_from(const char* variable, std::uint64_t fallback) {
    const char* text = std::getenv(variable);
    return text == nullptr || *text == '\0' ? fallback : std::strtoull(text, nullptr, 0);
}

KeySeed random_key() {
    std::array<std::uint8_t, KeySeed::size> secret{};
    fill_random(secret);
    return KeySeed{secret};
}

Said run(
    const std::vector<std::string>& command,
    const std::map<std::string, std::string>& environment,
    milliseconds timeout
) {
    static std::atomic<std::uint64_t> counter{0};
    const std::filesystem::path base =
        std::filesystem::path{CRETO_WORK_FOLDER} /
        ("said-" + std::to_string(::getpid()) + "-" + std::to_string(counter++));
    std::filesystem::create_directories(CRETO_WORK_FOLDER);
    const std::filesystem::path out = base.string() + ".out";
    const std::filesystem::path err = base.string() + ".err";
    Said said;
    auto process = Process::start(command, out, err, environment);
    if (!process) {
        said.err = process.error().message;
        return said;
    }
    const std::optional<int> exit = process->wait(timeout);
    // What a signal ended has no exit code of its own.
    if (exit && *exit < 128) said.exit = *exit;
    process->kill();
    said.out = text_of(out);
    said.err = text_of(err);
    if (!exit) said.err += "\n(ended by the test: it took too long)";
    std::error_code ignored;
    std::filesystem::remove(out, ignored);
    std::filesystem::remove(err, ignored);
    return said;
}

Said creto(
    std::vector<std::string> arguments,
    const std::map<std::string, std::string>& environment,
    milliseconds timeout
) {
    arguments.insert(arguments.begin(), program().string());
    return run(arguments, environment, timeout);
}

std::vector<RealNodeOptions> seats(std::size_t count) {
    std::vector<RealNodeOptions> out;
    for (std::size_t i = 0; i < count; ++i)
        out.push_back({.name = "n" + std::to_string(i)});
    return out;
}

void ClusterTest::TearDown() {
    if (cluster_ && HasFailure()) cluster_->keep_folders();
}

void ClusterTest::make(RealClusterOptions options) {
    options.program = program();
    options.dir = folder_.path() / "nodes";
    options.profile = local_profile();
    auto made = RealCluster::make(std::move(options));
    ASSERT_TRUE(made) << made.error().message;
    cluster_ = std::move(*made);
}

void ClusterTest::make_and_start(RealClusterOptions options) {
    ASSERT_NO_FATAL_FAILURE(make(std::move(options)));
    const auto started = cluster_->start_all();
    ASSERT_TRUE(started) << started.error().message;
}

bool ClusterTest::reaches(std::size_t node, std::size_t count, milliseconds within) const {
    return eventually(
        [&] { return cluster_->ask(node, "status").value("reachable", std::size_t{0}) == count; },
        within
    );
}

bool ClusterTest::knows_tools_of(std::size_t peers, milliseconds within) const {
    return eventually(
        [&] {
            const Json said = cluster_->ask(0, "peers");
            if (!ok(said) || said["peers"].size() != peers) return false;
            return std::all_of(said["peers"].begin(), said["peers"].end(), [](const Json& peer) {
                return peer["connected"] == true && !peer["tools"].empty();
            });
        },
        within
    );
}

}  // namespace creto::system_test
