#include "scale/process_usage.hpp"

#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <sstream>
#include <string>

namespace creto {
namespace {

Duration of_ticks(std::uint64_t ticks) {
    static const long a_second = ::sysconf(_SC_CLK_TCK);
    return Duration::from_ns(
        static_cast<std::int64_t>(ticks) * (1'000'000'000 / std::max(1L, a_second))
    );
}

}  // namespace

std::optional<ProcessUsage> process_usage(pid_t pid) {
    if (pid <= 0) return std::nullopt;
    const std::string folder = "/proc/" + std::to_string(pid);
    std::string stat;
    if (!std::getline(std::ifstream{folder + "/stat"}, stat)) return std::nullopt;
    // The name, in parentheses, may hold anything.
    const std::size_t name_end = stat.rfind(')');
    if (name_end == std::string::npos) return std::nullopt;
    std::istringstream fields{stat.substr(name_end + 1)};
    std::string skipped;
    constexpr int before_times = 11;  // From the state on; proc(5).
    for (int i = 0; i < before_times; ++i)
        fields >> skipped;
    std::uint64_t user = 0;
    std::uint64_t system = 0;
    std::ifstream statm{folder + "/statm"};
    std::uint64_t pages_all = 0;
    std::uint64_t pages = 0;
    if (!(fields >> user >> system) || !(statm >> pages_all >> pages)) return std::nullopt;
    static const long page_bytes = ::sysconf(_SC_PAGESIZE);
    return ProcessUsage{of_ticks(user + system), pages * static_cast<std::uint64_t>(page_bytes)};
}

std::optional<MachineUsage> machine_usage() {
    std::ifstream stat{"/proc/stat"};
    std::string word;
    if (!(stat >> word) || word != "cpu") return std::nullopt;
    std::uint64_t all = 0;
    std::uint64_t idle = 0;
    constexpr int fields = 8;  // user nice system idle iowait irq softirq steal
    for (int i = 0; i < fields; ++i) {
        std::uint64_t ticks = 0;
        if (!(stat >> ticks)) return std::nullopt;
        all += ticks;
        if (i == 3 || i == 4) idle += ticks;
    }
    return MachineUsage{of_ticks(all - idle), of_ticks(all)};
}

}  // namespace creto
