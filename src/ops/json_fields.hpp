// Fields: the fields of one command's JSON, each read once and with a fallback.
//
// Holds    The first thing that is wrong is what finish() says; a field that nobody read is wrong too.
#pragma once

#include <algorithm>
#include <set>
#include <string>
#include <vector>

#include "ops/api_json.hpp"

namespace creto {

/// Reads the fields of one command and remembers which it knows.
class Fields {
public:
    explicit Fields(const JsonDoc& body) : body_{body} {}

    std::string text(const char* name, const std::string& fallback = {}) {
        return read<std::string>(name, "text", fallback, [](const JsonDoc& v) {
            return v.is_string();
        });
    }
    std::uint64_t number(const char* name, std::uint64_t fallback = 0) {
        return read<std::uint64_t>(name, "a number of 0 or more", fallback, [](const JsonDoc& v) {
            return v.is_number_unsigned();
        });
    }
    std::int64_t integer(const char* name, std::int64_t fallback = 0) {
        return read<std::int64_t>(name, "an integer", fallback, [](const JsonDoc& v) {
            return v.is_number_integer();
        });
    }
    bool flag(const char* name, bool fallback) {
        return read<bool>(name, "true or false", fallback, [](const JsonDoc& v) {
            return v.is_boolean();
        });
    }
    /// Text, or {"hex": …}.
    Bytes bytes(const char* name) {
        known_.insert(name);
        return body_.contains(name) ? bytes_of(name, body_[name]) : Bytes{};
    }
    /// A list of the same.
    std::vector<Bytes> bytes_list(const char* name) {
        known_.insert(name);
        std::vector<Bytes> out;
        if (!body_.contains(name) || !body_[name].is_array() || body_[name].empty()) {
            refuse(std::string{"\""} + name + "\" must be a list with at least one payload");
            return out;
        }
        out.reserve(body_[name].size());
        for (const JsonDoc& value : body_[name])
            out.push_back(bytes_of(name, value));
        return out;
    }
    /// A list of texts; none when it is not there.
    std::vector<std::string> texts(const char* name) {
        known_.insert(name);
        std::vector<std::string> out;
        if (!body_.contains(name)) return out;
        const JsonDoc& list = body_[name];
        for (const JsonDoc& value : list) {
            if (!list.is_array() || !value.is_string()) {
                refuse(std::string{"\""} + name + "\" must be a list of texts");
                return {};
            }
            out.push_back(value.get<std::string>());
        }
        if (!list.is_array()) refuse(std::string{"\""} + name + "\" must be a list of texts");
        return out;
    }
    /// JSON of any kind as text; a string is taken as JSON text already.
    std::string json_text(const char* name, const std::string& fallback) {
        known_.insert(name);
        if (!body_.contains(name)) return fallback;
        const JsonDoc& value = body_[name];
        return value.is_string() ? value.get<std::string>() : value.dump();
    }
    std::optional<AgentId> agent(const char* name) {
        const std::string given = text(name);
        if (given.empty()) return std::nullopt;
        auto out = parse_agent(given);
        if (!out) refuse(out.error().message);
        return out ? std::optional{*out} : std::nullopt;
    }
    Digest digest(const char* name) {
        const std::string given = text(name);
        const auto out = from_hex(given);
        if (!out || out->size() != Digest::size) {
            refuse(std::string{"\""} + name + "\" must be 64 hexadecimal digits");
            return {};
        }
        std::array<std::uint8_t, Digest::size> raw{};
        std::copy(out->begin(), out->end(), raw.begin());
        return Digest{raw};
    }
    Duration timeout(Duration fallback) {
        return Duration::from_ms(static_cast<std::int64_t>(
            number("timeout_ms", static_cast<std::uint64_t>(fallback.ms()))
        ));
    }
    void refuse(std::string why) {
        if (error_.empty()) error_ = std::move(why);
    }
    Result<void> finish(const std::string& command) {
        if (error_.empty() && body_.is_object()) {
            for (const auto& [name, value] : body_.items()) {
                if (known_.count(name) == 0) refuse("it has no field \"" + name + "\"");
            }
        }
        if (error_.empty()) return {};
        return fail(ErrorCode::invalid, command + ": " + error_);
    }

private:
    Bytes bytes_of(const char* name, const JsonDoc& value) {
        if (value.is_string()) return to_bytes(value.get_ref<const std::string&>());
        if (value.is_object() && value.contains("hex") && value["hex"].is_string()) {
            if (auto out = from_hex(value["hex"].get<std::string>())) return *out;
        }
        refuse(std::string{"\""} + name + "\" must be text or {\"hex\": \"…\"}");
        return {};
    }

    template <class T, class Test>
    T read(const char* name, const char* expected, T fallback, Test test) {
        known_.insert(name);
        if (!body_.contains(name)) return fallback;
        if (!test(body_[name])) {
            refuse(std::string{"\""} + name + "\" must be " + expected);
            return fallback;
        }
        return body_[name].get<T>();
    }

    const JsonDoc& body_;
    std::set<std::string> known_;
    std::string error_;
};

}  // namespace creto
