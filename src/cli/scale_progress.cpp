#include "cli/scale_progress.hpp"

#include <unistd.h>

#include <algorithm>
#include <iomanip>
#include <iostream>
#include <sstream>

namespace creto {
namespace {

std::string wall_text(double seconds) {
    std::ostringstream out;
    out << std::fixed << std::setprecision(0);
    if (seconds < 120) {
        out << seconds << " s";
    } else if (seconds < 7'200) {
        out << seconds / 60 << " min";
    } else {
        out << seconds / 3'600 << " h";
    }
    return out.str();
}

}  // namespace

void ScaleProgress::begin(std::size_t index) {
    running_[index] = {Clock::now(), {}};
}

void ScaleProgress::tell(std::size_t index, const BenchProgress& at) {
    const auto now = Clock::now();
    Running& run = running_[index];
    const double wall = std::chrono::duration<double>(now - run.begun).count();
    const double share = static_cast<double>(at.at.ms()) /
                         static_cast<double>(std::max<std::int64_t>(1, at.of.ms()));
    std::ostringstream says;
    says << "[" << index + 1 << "/" << total_ << "] " << at.scenario << ": " << at.at.ms() / 1'000
         << " of " << at.of.ms() / 1'000 << " " << unit_ << ", " << at.final << " final, height "
         << at.height;
    if (at.is_replaying) says << ", replays stores on disk";
    if (share > 0.02 && !at.is_replaying) says << ", " << wall_text(wall / share - wall) << " left";
    run.says = says.str();

    const bool is_terminal = ::isatty(STDERR_FILENO) == 1;
    const auto every = std::chrono::milliseconds{is_terminal ? 200 : 5'000};
    if (now - told_ < every) return;
    told_ = now;
    std::string line;
    for (const auto& [which, one] : running_)
        if (!one.says.empty()) line += (line.empty() ? "" : " | ") + one.says;
    std::cerr << (is_terminal ? "\r\033[K" : "") << line << (is_terminal ? "" : "\n") << std::flush;
    is_open_ = is_terminal;
}

void ScaleProgress::end(std::size_t index) {
    running_.erase(index);
    if (is_open_) std::cerr << "\r\033[K" << std::flush;
    is_open_ = false;
}

}  // namespace creto
