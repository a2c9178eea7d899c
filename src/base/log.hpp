// Log: where a component writes lines for people; the host adds time and node.
//
// Why      Passed in, never global, so that a simulated node logs like a real one.
// Holds    Levels by audience: error (an operator acts), warn (an operator looks), info (rare
//          milestones), debug and trace (developers). A peer cannot make us write above debug at
//          will.
#pragma once

#include <string>
#include <string_view>

namespace creto {

enum class LogLevel : unsigned char { trace, debug, info, warn, error };

class Log {
public:
    Log() = default;
    Log(const Log&) = delete;
    Log& operator=(const Log&) = delete;
    virtual ~Log() = default;

    [[nodiscard]] virtual bool enabled(LogLevel level) const = 0;
    virtual void write(LogLevel level, std::string_view line) = 0;

    void error(std::string_view line) { write(LogLevel::error, line); }
    void warn(std::string_view line) { write(LogLevel::warn, line); }
    void info(std::string_view line) { write(LogLevel::info, line); }
    void debug(std::string_view line) {
        if (enabled(LogLevel::debug)) write(LogLevel::debug, line);
    }
};

/// Drops every line.
class SilentLog final : public Log {
public:
    [[nodiscard]] bool enabled(LogLevel /*level*/) const override { return false; }
    void write(LogLevel /*level*/, std::string_view /*line*/) override {}
};

}  // namespace creto
