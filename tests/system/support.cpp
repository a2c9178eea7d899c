#include "system/support.hpp"

#include <unistd.h>

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

}  // namespace creto::system_test
