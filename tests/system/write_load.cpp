#include "system/write_load.hpp"

#include "scale/client.hpp"

namespace creto::system_test {

namespace {

constexpr std::uint64_t write_timeout_ms = 4'000;
/// A dead node refuses at once: without a pause its clients would only burn the processor.
constexpr auto pause_after_failure = milliseconds{20};

}  // namespace

WriteLoad::WriteLoad(std::size_t nodes) : addresses_(nodes) {
    for (std::size_t i = 0; i < nodes; ++i) {
        threads_.emplace_back([this, i] { write_final(i); });
        threads_.emplace_back([this, i] { write_causal(i); });
    }
}

void WriteLoad::stop() {
    stopping_ = true;
    for (std::thread& thread : threads_)
        thread.join();
    threads_.clear();
}

void WriteLoad::set_address(std::size_t i, const std::string& address) {
    const std::lock_guard lock{mutex_};
    addresses_[i] = address;
}

std::string WriteLoad::address(std::size_t node) {
    const std::lock_guard lock{mutex_};
    return addresses_[node];
}

void WriteLoad::count(const std::string& key, bool acknowledged) {
    const std::lock_guard lock{mutex_};
    Counted& counted = kept_.counters[key];
    ++counted.attempted;
    if (acknowledged) ++counted.acknowledged;
}

/// By turns: a key of its own, which must keep its value, and the counter that all add to.
void WriteLoad::write_final(std::size_t node) {
    for (std::uint64_t n = 0; !stopping_; ++n) {
        const std::string where = address(node);
        if (where.empty()) {
            std::this_thread::sleep_for(pause_after_failure);
            continue;
        }
        const bool adds = n % 2 == 1;
        const std::string key =
            adds ? "final/count" : "final/k" + std::to_string(node) + "-" + std::to_string(n);
        const std::string value = "v" + std::to_string(n);
        Json body{{"key", key}, {"timeout_ms", write_timeout_ms}};
        if (adds) {
            body["action"] = "add";
            body["amount"] = 1;
        } else {
            body["action"] = "set";
            body["value"] = value;
        }
        const auto reply = Client{where}.command("write", body, milliseconds{write_timeout_ms * 2});
        const bool good = reply && (*reply)["applied"] == true;
        if (good) ++final_;
        if (adds) {
            count(key, good);
        } else if (good) {
            const std::lock_guard lock{mutex_};
            kept_.values.emplace(key, value);
        }
        if (!good) std::this_thread::sleep_for(pause_after_failure);
    }
}

void WriteLoad::write_causal(std::size_t node) {
    const std::string key = "causal/count" + std::to_string(node);
    while (!stopping_) {
        const std::string where = address(node);
        if (where.empty()) {
            std::this_thread::sleep_for(pause_after_failure);
            continue;
        }
        const Json body{
            {"key", key}, {"action", "add"}, {"amount", 1}, {"timeout_ms", write_timeout_ms}};
        const auto reply = Client{where}.command("write", body, milliseconds{write_timeout_ms * 2});
        count(key, reply.has_value());
        if (reply) ++causal_;
        std::this_thread::sleep_for(pause_after_failure);
    }
}

}  // namespace creto::system_test
