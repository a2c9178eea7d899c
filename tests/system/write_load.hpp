// WriteLoad: clients that write all the time, and remember exactly what was acknowledged to them.
//
// Holds    A write counts as acknowledged only when its "ok" arrived. Every other outcome is unknown:
//          it may be applied once, never twice.
#pragma once

#include <atomic>
#include <cstdint>
#include <map>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "system/support.hpp"

namespace creto::system_test {

class WriteLoad {
public:
    /// Two clients for each of `nodes` nodes; they wait until their node has an address.
    explicit WriteLoad(std::size_t nodes);
    ~WriteLoad() { stop(); }
    WriteLoad(const WriteLoad&) = delete;
    WriteLoad& operator=(const WriteLoad&) = delete;

    /// Where node i answers now; empty while it is down.
    void set_address(std::size_t i, const std::string& address);
    void stop();

    struct Counted {
        std::int64_t acknowledged = 0;
        std::int64_t attempted = 0;
    };
    struct Kept {
        std::map<std::string, std::string> values;  ///< Acknowledged as final: key and value.
        std::map<std::string, Counted> counters;    ///< By key.
    };
    /// After stop().
    [[nodiscard]] const Kept& kept() const { return kept_; }
    /// Final writes that were acknowledged so far.
    [[nodiscard]] std::uint64_t final_acknowledged() const { return final_; }
    [[nodiscard]] std::uint64_t causal_acknowledged() const { return causal_; }

private:
    void write_final(std::size_t node);
    void write_causal(std::size_t node);
    [[nodiscard]] std::string address(std::size_t node);
    void count(const std::string& key, bool acknowledged);

    std::mutex mutex_;
    std::vector<std::string> addresses_;
    Kept kept_;
    std::atomic<std::uint64_t> final_{0};
    std::atomic<std::uint64_t> causal_{0};
    std::atomic<bool> stopping_{false};
    std::vector<std::thread> threads_;
};

}  // namespace creto::system_test
